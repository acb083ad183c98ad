import type { KeyKind } from '../core/key-kind.ts';

/**
 * Every operation of the API: where it is, who may call it, and what it may touch. The CDK stacks grant exactly
 * this, the local gateway routes by it, the reference is written from it and the tests walk it. Imports one type.
 */
export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** One line for the reference. */
  summary: string;
  /**
   * The callers allowed: `open` needs nothing; all others carry an API key. `bearer`: an access token besides, checked in
   * the function itself. `iam`: a SigV4 signature besides, checked by API Gateway.
   */
  caller: 'open' | 'key' | 'bearer' | 'iam';
  /** Takes a code, a password or a refresh token: the usage plans' tighter per-method limit applies. */
  guessable?: true;
  /** The user's own item: `read` is GetItem, `write` GetItem and UpdateItem. */
  record?: 'read' | 'write';
  /** Refresh families: `read` is GetItem, `write` UpdateItem. */
  family?: 'read' | 'write';
  /**
   * Kinds of key. Every use unwraps, by kms:Decrypt under the encryption context of that kind alone; `signing: 'verify'`
   * unwraps the public halves, which have a context of their own.
   */
  keys?: { signing?: 'verify' | 'sign'; data?: 'open'; backupCode?: 'digest' };
  /** Checks a password with the Cognito pool: AdminInitiateAuth. */
  firstFactor?: true;
  /** Writes down when somebody was first asked to enroll, if the configuration counts days from it: UpdateItem. */
  asksToEnroll?: true;
  /** Ends the user's Cognito sessions too, where the configuration says so: AdminUserGlobalSignOut. */
  signsOut?: true;
}

const opensSecrets = { data: 'open', backupCode: 'digest' } as const;

export const routes = {
  login: {
    method: 'POST',
    path: '/v1/auth/login',
    summary: 'Checks the password. Answers with a session, or with a challenge if there is a second factor.',
    caller: 'key',
    guessable: true,
    record: 'read',
    keys: { signing: 'sign' },
    firstFactor: true,
    asksToEnroll: true,
  },
  'verify-login': {
    method: 'POST',
    path: '/v1/auth/verify',
    summary: 'Answers a challenge with a code, a backup code or a ticket, for a session.',
    caller: 'key',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
  },
  refresh: {
    method: 'POST',
    path: '/v1/auth/refresh',
    summary: 'Returns the next pair of tokens. A refresh token works once.',
    caller: 'key',
    guessable: true,
    record: 'read',
    family: 'write',
    keys: { signing: 'sign' },
  },
  logout: {
    method: 'POST',
    path: '/v1/auth/logout',
    summary: 'Ends the session of a refresh token.',
    caller: 'key',
    guessable: true,
    family: 'write',
    keys: { signing: 'verify' },
  },
  status: {
    method: 'GET',
    path: '/v1/authenticators',
    summary: "Returns the caller's authenticators, and how many backup codes are left.",
    caller: 'bearer',
    record: 'read',
    keys: { signing: 'verify' },
  },
  enroll: {
    method: 'POST',
    path: '/v1/totp/enroll',
    summary: 'Returns the secret of a new authenticator once. A code has to confirm it.',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    family: 'read',
    keys: { signing: 'verify', ...opensSecrets },
    firstFactor: true,
  },
  confirm: {
    method: 'POST',
    path: '/v1/totp/confirm',
    summary: 'Puts a new authenticator in force by a code of it. Backup codes come with the first.',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    family: 'read',
    keys: { signing: 'sign', ...opensSecrets },
    signsOut: true,
  },
  verify: {
    method: 'POST',
    path: '/v1/authenticators/verify',
    summary: 'Proves the second factor now (step-up), for an access token that says so.',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
  },
  disable: {
    method: 'POST',
    path: '/v1/authenticators/disable',
    summary: 'Removes one authenticator, or all of them with the backup codes.',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
    signsOut: true,
  },
  'rotate-backup-codes': {
    method: 'POST',
    path: '/v1/backup-codes/rotate',
    summary: 'Returns ten new backup codes. Every older one is void.',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
    signsOut: true,
  },
  keys: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'Returns the public keys of own tokens (JWKS, RFC 7517 §5).',
    caller: 'open',
    keys: { signing: 'verify' },
  },
  discovery: {
    method: 'GET',
    path: '/.well-known/openid-configuration',
    summary: 'Returns the metadata of the issuer (OpenID Connect Discovery §3).',
    caller: 'open',
  },
  'admin-status': {
    method: 'GET',
    path: '/v1/admin/users/{userId}',
    summary: "Returns what support may see of a user's second factor.",
    caller: 'iam',
    record: 'read',
  },
  'admin-unlock': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/unlock',
    summary: 'Lifts a lock, and a stop if the user has a new password.',
    caller: 'iam',
    record: 'write',
  },
  'admin-reset': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/reset',
    summary: 'Removes the second factor, and returns the ticket to enroll again.',
    caller: 'iam',
    record: 'write',
    // For the digest of the enrollment ticket.
    keys: { backupCode: 'digest' },
    signsOut: true,
  },
  'admin-revoke-sessions': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/sessions/revoke',
    summary: 'Ends every session of a user.',
    caller: 'iam',
    record: 'write',
    signsOut: true,
  },
} as const satisfies Record<string, Route>;

/** A Cognito trigger: what it is called in a pool's LambdaConfig, and what it may touch. */
export interface Trigger extends Pick<Route, 'record' | 'keys' | 'signsOut' | 'asksToEnroll'> {
  lambdaConfig:
    | 'DefineAuthChallenge'
    | 'CreateAuthChallenge'
    | 'VerifyAuthChallengeResponse'
    | 'PreTokenGenerationConfig'
    | 'PostConfirmation';
}

export const triggers = {
  'cognito/define-auth-challenge': { lambdaConfig: 'DefineAuthChallenge', record: 'read' },
  'cognito/create-auth-challenge': { lambdaConfig: 'CreateAuthChallenge', record: 'read' },
  'cognito/verify-auth-challenge-response': {
    lambdaConfig: 'VerifyAuthChallengeResponse',
    record: 'write',
    keys: opensSecrets,
  },
  'cognito/pre-token-generation': {
    lambdaConfig: 'PreTokenGenerationConfig',
    record: 'read',
    asksToEnroll: true,
  },
  'cognito/post-confirmation': { lambdaConfig: 'PostConfirmation', record: 'write', signsOut: true },
} as const satisfies Record<string, Trigger>;

/** Handles administrator actions on the pool. CloudTrail records them; EventBridge invokes the function. */
export interface Listener extends Pick<Route, 'record' | 'keys'> {
  /** The operations of Cognito's API that invoke it. */
  hears: readonly string[];
  /** Seconds. */
  timeout: number;
}

export const listeners = {
  'cognito/admin-sign-out': {
    hears: [
      'AdminUserGlobalSignOut',
      'AdminDisableUser',
      'AdminDeleteUser',
      'AdminSetUserPassword',
      'AdminResetUserPassword',
    ],
    // Nobody waits for it, and Lambda retries it.
    timeout: 30,
    record: 'write',
  },
} as const satisfies Record<string, Listener>;

/** Keeps the keyring. Nobody calls it: a deployment or a schedule invokes it. */
export interface Job {
  /** `deployment`: each deployment invokes it. Otherwise EventBridge does, every so many hours. */
  runs: 'deployment' | { everyHours: number };
  /** Seconds. */
  timeout: number;
  /** One line for the output that names its function; none if there is no such output. */
  summary?: string;
  /**
   * Makes keys of these kinds: generates them wrapped, encrypts public halves, and writes their items. It unwraps none.
   */
  makes?: readonly KeyKind[];
  /** Reads all items (Scan), updates records, and keeps its own state in the item `JOB#<name>`. */
  sweeps?: true;
  /** Drops keys of these kinds that nothing uses: GetItem and PutItem on their items. */
  retires?: readonly KeyKind[];
  /** Kinds of key that it unwraps. */
  unwraps?: readonly KeyKind[];
}

export const jobs = {
  'ensure-keys': {
    runs: 'deployment',
    // IAM does not know a new role everywhere at once: the function retries until it may.
    timeout: 120,
    makes: ['data', 'backup-code', 'signing'],
  },
  'rotate-keys': {
    runs: { everyHours: 24 },
    timeout: 120,
    summary: 'The function that rotates and withdraws keys',
    makes: ['data', 'backup-code', 'signing'],
  },
  reseal: {
    runs: { everyHours: 1 },
    timeout: 900,
    summary: 'The function that seals secrets under the newest key and retires old ones',
    sweeps: true,
    retires: ['data', 'backup-code'],
    unwraps: ['data'],
  },
} as const satisfies Record<string, Job>;

/** The name of an operation: its file in functions/, its Lambda function, its construct and its test. */
export type Operation = keyof typeof routes;
