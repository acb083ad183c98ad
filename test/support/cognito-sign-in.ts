import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryUser, outcome, signInWithSrp } from '@countersign/local-aws/testing/identity-js';
import type { CognitoUser, CognitoUserSession } from 'amazon-cognito-identity-js';
import { decodeJwt, type JWTPayload } from 'jose';
import type { Service } from '../../local/service.ts';
import { type Client, codeAt, type Person, text, wrongCodeAt } from './client.ts';

/** Returns a user of the unmodified amazon-cognito-identity-js, before any sign-in. */
export function atCognito({ local }: Service, { username }: Pick<Person, 'username'>): CognitoUser {
  const { endpoint, clientId, userPoolId } = local.cognito;
  return libraryUser(endpoint, username, clientId, userPoolId);
}

/** Sends the password by SRP in the custom flow. */
export function password(service: Service, person: Person) {
  return signInWithSrp(atCognito(service, person), person.password, 'CUSTOM_AUTH');
}

/** Answers the custom challenge that this user is at. */
export function answer(user: CognitoUser, given: string, clientMetadata?: Record<string, string>) {
  return outcome(user, (callbacks) => user.sendCustomChallengeAnswer(given, callbacks, clientMetadata));
}

/** Sends the password and returns the challenged user. Fails unless Cognito asks for a second factor. */
export async function challenged(service: Service, person: Person): Promise<CognitoUser> {
  const asked = await password(service, person);
  assert.equal(asked.kind, 'custom');
  return asked.user;
}

export interface CognitoSession {
  access: string;
  id: string;
  refresh: string;
  claims: { access: JWTPayload; id: JWTPayload };
}

function read(session: CognitoUserSession): CognitoSession {
  const access = session.getAccessToken().getJwtToken();
  const id = session.getIdToken().getJwtToken();
  return {
    access,
    id,
    refresh: session.getRefreshToken().getToken(),
    claims: { access: decodeJwt(access), id: decodeJwt(id) },
  };
}

/** Signs in with the password alone. Fails if Cognito asks for more. */
export async function passwordSession(service: Service, person: Person): Promise<CognitoSession> {
  const signedIn = await password(service, person);
  assert.ok(signedIn.kind === 'session', signedIn.kind);
  return read(signedIn.session);
}

/** Signs in with the password and this answer. */
export async function fullSession(service: Service, person: Person, given: string): Promise<CognitoSession> {
  const signedIn = await answer(await challenged(service, person), given);
  assert.ok(signedIn.kind === 'session', signedIn.kind);
  return read(signedIn.session);
}

/**
 * Enrolls over the API with the pool's own access token. Then advances the clock, so that the next code is a
 * new one.
 */
export async function enrollFromCognito(service: Service, client: Client, person: Person) {
  const session = await passwordSession(service, person);
  const enrolled = await client.post('/v1/totp/enroll', {}, session.access);
  assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body));
  const secret = text(enrolled, 'secret');
  const confirmation = await client.post(
    '/v1/totp/confirm',
    { authenticatorId: text(enrolled, 'authenticatorId'), code: codeAt(secret, service.clock.seconds()) },
    session.access,
  );
  assert.equal(confirmation.status, 200, JSON.stringify(confirmation.body));
  service.clock.advance(30);
  return {
    session,
    confirmation,
    backupCodes: confirmation.body['backupCodes'] as string[],
    code: () => codeAt(secret, service.clock.seconds()),
    /** Advances the clock by one step and returns the new code. */
    nextCode() {
      service.clock.advance(30);
      return codeAt(secret, service.clock.seconds());
    },
    wrongCode: () => wrongCodeAt(secret, service.clock.seconds()),
  };
}

/** Returns each trigger's calls to DynamoDB and KMS while `work` runs, for example `define: GetItem`. */
export async function triggerCallsDuring(service: Service, work: () => Promise<unknown>): Promise<string[]> {
  const before = service.calls.length;
  await work();
  return service.calls.slice(before).flatMap(({ principal = '', operation }) => {
    const trigger = /-Cognito(Define|Create|Verify|PreToken|PostConf)/.exec(principal)?.[1];
    return trigger ? [`${trigger}: ${operation}`] : [];
  });
}

/** Returns the code that Cognito would have mailed for a forgotten password. */
export function mailedCode(
  { folder, local }: { folder: string; local: Service['local'] },
  { username }: Pick<Person, 'username'>,
): string {
  const file = join(folder, 'cognito', `${local.cognito.userPoolId}.json`);
  const { users } = JSON.parse(readFileSync(file, 'utf8')) as {
    users: { username: string; codes: { reset?: { code: string } } }[];
  };
  return users.find((user) => user.username === username)?.codes.reset?.code ?? assert.fail('no code');
}
