import assert from 'node:assert/strict';
import * as v from 'valibot';
import { createBearer } from '../../adapters/bearer.ts';
import { createTokens } from '../../adapters/tokens.ts';
import type { Caller } from '../../core/claims.ts';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import { CountersignError } from '../../core/error.ts';
import { login } from '../../core/login.ts';
import type { FirstFactor } from '../../core/ports.ts';
import type { Proof } from '../../core/proof.ts';
import { Settings } from '../../core/settings.ts';
import { typedCode } from '../../core/typed-code.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import { type AuthenticatorApp, scan } from './authenticator-app.ts';
import { createMemoryFamilies } from './memory-families.ts';
import { createMemoryKeyring } from './memory-keyring.ts';
import { createMemoryRecords } from './memory-records.ts';
import { createSigningKeys } from './signing-keys.ts';

/** The start of a time step of 30 s, in seconds since the epoch. */
export const NOW = 1_800_000_000;
export const CLIENT = 'web';
/** The ARN of an administrator. */
export const SUPPORT = 'arn:aws:iam::123456789012:user/support';
/** The password of every user. */
export const PASSWORD = 'correct horse battery staple';

export const issuer = {
  ISSUER: 'https://id.example/prod',
  FORMER_ISSUERS: [],
  AUDIENCE: 'https://api.example',
  SETTINGS: { realm: 'users' },
};
const signingKeys = createSigningKeys();

export type Deployment = ReturnType<typeof createDeployment>;

/** Returns the domain over in-memory ports, with real tokens. It is a whole service without a network. */
export function createDeployment(settings: v.InferInput<typeof Settings> = {}) {
  const tokens = createTokens(issuer, signingKeys);
  const firstFactor: FirstFactor = {
    async check(username, password) {
      if (password !== PASSWORD) throw new CountersignError('invalid_credentials');
      return { sub: `sub-of-${username}`, username };
    },
  };
  return {
    settings: v.parse(Settings, settings),
    records: createMemoryRecords(),
    keyring: createMemoryKeyring(),
    families: createMemoryFamilies(),
    tokens,
    firstFactor,
    bearer: createBearer(tokens, { TRUSTED_ISSUERS: [], SETTINGS: { realm: 'users' } }),
  };
}

/** A user with a second factor. */
export interface Person {
  name: string;
  /** The caller, in the session that the last change of the factor opened. */
  caller: Caller;
  app: AuthenticatorApp;
  authenticatorId: string;
  /** Without dashes, as operations receive them. */
  backupCodes: string[];
}

export function signIn(deployment: Deployment, name: string, now: number) {
  return login(deployment, { username: name, password: PASSWORD, client: CLIENT, now });
}

/** Returns a session of a user without a second factor. */
export async function session(deployment: Deployment, name: string, now: number) {
  const answer = await signIn(deployment, name, now);
  assert.equal(answer.status, 'authenticated');
  return { ...answer, caller: await callerOf(deployment, answer.accessToken, now) };
}

export async function challenge(deployment: Deployment, name: string, now: number): Promise<string> {
  const answer = await signIn(deployment, name, now);
  assert.equal(answer.status, 'challenge');
  return answer.challengeToken;
}

/** Returns the caller with this access token. */
export function callerOf(deployment: Deployment, accessToken: string | undefined, now: number) {
  return deployment.bearer(`Bearer ${accessToken}`, CLIENT, now);
}

/** Signs in, enrolls and confirms. This spends the code of `now`. */
export async function enrolled(deployment: Deployment, name = 'alice', now = NOW - 300): Promise<Person> {
  const { caller } = await session(deployment, name, now);
  return { name, ...(await addAuthenticator(deployment, caller, undefined, now)) };
}

/** Signs in, enrolls and confirms after a reset. This spends the code of `now`. */
export async function enrolledByTicket(
  deployment: Deployment,
  name: string,
  enrollmentTicket: string,
  now: number,
): Promise<Person> {
  const proof = { enrollmentTicket: typedCode(enrollmentTicket) };
  const challengeToken = await challenge(deployment, name, now);
  const answer = await verifyLogin(deployment, { challengeToken, proof, client: CLIENT, now });
  const caller = await callerOf(deployment, answer.accessToken, now);
  return { name, ...(await addAuthenticator(deployment, caller, proof, now)) };
}

/** Enrolls and confirms another authenticator. */
export async function addAuthenticator(
  deployment: Deployment,
  caller: Caller,
  proof: Proof | undefined,
  now: number,
  name = 'Phone',
) {
  const { authenticatorId, otpauthUri } = await enroll(deployment, {
    caller,
    name,
    proof,
    ...((!proof || 'enrollmentTicket' in proof) && { password: PASSWORD }),
    client: CLIENT,
    now,
  });
  const app = scan(otpauthUri);
  const input = { caller, authenticatorId, code: app.codeAt(now), client: CLIENT, now };
  const { accessToken, backupCodes = [] } = await confirm(deployment, input);
  const typed = backupCodes.map(typedCode);
  return { app, authenticatorId, backupCodes: typed, caller: await callerOf(deployment, accessToken, now) };
}
