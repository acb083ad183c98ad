/**
 * Every operation of the API: where it is, who may call it, and what it may touch. The CDK stacks grant exactly
 * this, the local gateway routes by it, the reference is written from it and the tests walk it. Imports nothing.
 */
export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /**
   * Who may call: `open` needs nothing; all others carry an API key. `bearer`: an access token besides, checked in
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
    caller: 'key',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
  },
  refresh: {
    method: 'POST',
    path: '/v1/auth/refresh',
    caller: 'key',
    guessable: true,
    record: 'read',
    family: 'write',
    keys: { signing: 'sign' },
  },
  logout: {
    method: 'POST',
    path: '/v1/auth/logout',
    caller: 'key',
    guessable: true,
    family: 'write',
    keys: { signing: 'verify' },
  },
  status: {
    method: 'GET',
    path: '/v1/authenticators',
    caller: 'bearer',
    record: 'read',
    keys: { signing: 'verify' },
  },
  enroll: {
    method: 'POST',
    path: '/v1/totp/enroll',
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
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
  },
  disable: {
    method: 'POST',
    path: '/v1/authenticators/disable',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
    signsOut: true,
  },
  'rotate-backup-codes': {
    method: 'POST',
    path: '/v1/backup-codes/rotate',
    caller: 'bearer',
    guessable: true,
    record: 'write',
    keys: { signing: 'sign', ...opensSecrets },
    signsOut: true,
  },
  keys: { method: 'GET', path: '/.well-known/jwks.json', caller: 'open', keys: { signing: 'verify' } },
  discovery: { method: 'GET', path: '/.well-known/openid-configuration', caller: 'open' },
  'admin-status': { method: 'GET', path: '/v1/admin/users/{userId}', caller: 'iam', record: 'read' },
  'admin-unlock': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/unlock',
    caller: 'iam',
    record: 'write',
  },
  'admin-reset': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/reset',
    caller: 'iam',
    record: 'write',
    // For the digest of the enrollment ticket.
    keys: { backupCode: 'digest' },
    signsOut: true,
  },
  'admin-revoke-sessions': {
    method: 'POST',
    path: '/v1/admin/users/{userId}/sessions/revoke',
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

/** A function for what an administrator does at a pool itself: EventBridge invokes it, of what CloudTrail recorded. */
export interface Listener extends Pick<Route, 'record' | 'keys'> {
  /** The operations of Cognito's API that it hears of. */
  hears: readonly string[];
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
    record: 'write',
  },
} as const satisfies Record<string, Listener>;

/** The name of an operation: its file in functions/, its Lambda function, its construct and its test. */
export type Operation = keyof typeof routes;
