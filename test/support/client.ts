import assert from 'node:assert/strict';
import { generateSync } from 'otplib';
import type { Service } from '../../local/service.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // Untyped, because the tests check its form.
  body: Record<string, unknown>;
}

/** Returns a client app of the service, which uses plain HTTP and an API key. */
export function clientOf(service: Pick<Service, 'url' | 'local'>, apiKey = service.local.apiKey) {
  const call = async (
    method: string,
    path: string,
    { body, bearer, headers }: { body?: unknown; bearer?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const response = await fetch(service.url + path, {
      method,
      headers: {
        'x-api-key': apiKey,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
  };
  return {
    call,
    post: (path: string, body: unknown, bearer?: string) =>
      call('POST', path, { body, ...(bearer !== undefined && { bearer }) }),
    get: (path: string, bearer?: string) => call('GET', path, bearer === undefined ? {} : { bearer }),
  };
}

export type Client = ReturnType<typeof clientOf>;

/** Returns a field of an answer, which must be text. */
export function text(answer: Answer, name: string): string {
  const value = answer.body[name];
  assert.equal(typeof value, 'string', `${name} in ${JSON.stringify(Object.keys(answer.body))}`);
  return value as string;
}

/** Asserts that an answer is the refusal with this status and code, in the contract's form. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.deepEqual({ status: answer.status, code: answer.body['code'] }, { status, code });
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.deepEqual(Object.keys(answer.body).sort(), [
    'code',
    'detail',
    'requestId',
    'status',
    'title',
    'type',
  ]);
}

/** A user of the service. The tests compute the user's codes with a third-party library. */
export interface Person {
  username: string;
  password: string;
}

export function codeAt(secret: string, seconds: number): string {
  return generateSync({ secret, epoch: seconds });
}

/** Returns six digits that are not a code of this secret within ten minutes before or after. */
export function wrongCodeAt(secret: string, seconds: number): string {
  const near = new Set(Array.from({ length: 41 }, (_, step) => codeAt(secret, seconds + 30 * (step - 20))));
  for (let candidate = 0; ; candidate++) {
    const code = String(candidate).padStart(6, '0');
    if (!near.has(code)) return code;
  }
}

/** Asserts the exact fields of an answer. */
export function assertFields(answer: Answer, status: number, fields: string[]): void {
  assert.deepEqual(
    { status: answer.status, fields: Object.keys(answer.body).sort() },
    { status, fields: fields.toSorted() },
    JSON.stringify(answer.body),
  );
}

/** Asserts the headers of every function's answer, except those of the public documents. */
export function assertPrivate(answer: Answer): void {
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
}

/** The fields of a new session in an answer. */
export const SESSION = ['accessToken', 'refreshToken', 'tokenType', 'expiresIn'];

/** Signs in with the password alone, for a user without a second factor. */
export async function signIn(client: Client, person: Person): Promise<{ access: string; refresh: string }> {
  const answer = await client.post('/v1/auth/login', {
    username: person.username,
    password: person.password,
  });
  assert.equal(answer.body['status'], 'authenticated', JSON.stringify(answer.body));
  return { access: text(answer, 'accessToken'), refresh: text(answer, 'refreshToken') };
}

/** Signs in with the password and returns the challenge token, for a user with a second factor. */
export async function challengeFor(client: Client, person: Person): Promise<string> {
  const answer = await client.post('/v1/auth/login', {
    username: person.username,
    password: person.password,
  });
  assert.equal(answer.body['status'], 'challenge', JSON.stringify(answer.body));
  return text(answer, 'challengeToken');
}

/**
 * Signs in, enrolls and confirms. Then advances the clock, so that the next code is a new one.
 */
export async function enrollPerson(service: Service, client: Client, person: Person) {
  const { access } = await signIn(client, person);
  return enrollWith(service, client, access, { password: person.password });
}

/** Does the same after a reset, with the ticket from support. */
export async function enrollByTicket(
  service: Service,
  client: Client,
  { password, ...person }: Person,
  enrollmentTicket: string,
) {
  const challengeToken = await challengeFor(client, { ...person, password });
  const opened = await client.post('/v1/auth/verify', { challengeToken, enrollmentTicket });
  assert.equal(opened.status, 200, JSON.stringify(opened.body));
  return enrollWith(service, client, text(opened, 'accessToken'), { password, enrollmentTicket });
}

async function enrollWith(service: Service, client: Client, access: string, proof: Record<string, string>) {
  const enrolled = await client.post('/v1/totp/enroll', proof, access);
  assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body));
  const secret = text(enrolled, 'secret');
  const authenticatorId = text(enrolled, 'authenticatorId');
  const confirmation = await client.post(
    '/v1/totp/confirm',
    { authenticatorId, code: codeAt(secret, service.clock.seconds()) },
    access,
  );
  assert.equal(confirmation.status, 200, JSON.stringify(confirmation.body));
  service.clock.advance(30);
  return {
    secret,
    authenticatorId,
    backupCodes: confirmation.body['backupCodes'] as string[],
    access: text(confirmation, 'accessToken'),
    refresh: text(confirmation, 'refreshToken'),
    /** Returns the current code. */
    code: () => codeAt(secret, service.clock.seconds()),
    /** Advances the clock by one step and returns the new code. */
    nextCode() {
      service.clock.advance(30);
      return codeAt(secret, service.clock.seconds());
    },
    wrongCode: () => wrongCodeAt(secret, service.clock.seconds()),
  };
}
