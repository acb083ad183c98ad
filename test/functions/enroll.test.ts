import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { scanned } from '../support/picture.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const enroll = (access: string, body: Record<string, unknown> = {}) =>
  client.post('/v1/totp/enroll', body, access);
/** Begins the enrollment of a user without a second factor. */
const enrollFirst = (
  { password }: { password: string },
  access: string,
  body: Record<string, unknown> = {},
) => enroll(access, { password, ...body });
const confirm = (access: string, authenticatorId: string, code: string) =>
  client.post('/v1/totp/confirm', { authenticatorId, code }, access);

test('an enrollment shows a secret of 160 bits, its URI, its QR code and its expiry', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const answer = await enrollFirst(person, access, { name: 'Phone' });
  assertFields(answer, 201, ['authenticatorId', 'secret', 'otpauthUri', 'qrSvg', 'expiresAt']);
  assertPrivate(answer);
  assert.match(text(answer, 'secret'), /^[A-Z2-7]{32}$/);
  assert.match(text(answer, 'authenticatorId'), /^[\w-]{16}$/);
  assert.match(text(answer, 'qrSvg'), /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  const wait = Number(answer.body['expiresAt']) - service.clock.seconds();
  assert.ok(wait >= 595 && wait <= 600, `${wait}`);
  assert.equal(
    answer.body['otpauthUri'],
    `otpauth://totp/Countersign:${person.username}?secret=${text(answer, 'secret')}&issuer=Countersign&algorithm=SHA1&digits=6&period=30`,
  );
});

test('a code from the secret that a scanner reads from the QR code confirms the enrollment', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const answer = await enrollFirst(person, access);
  const uri = scanned(text(answer, 'qrSvg'));
  assert.equal(uri, text(answer, 'otpauthUri'));
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const code = codeAt(secret, service.clock.seconds());
  assert.equal((await confirm(access, text(answer, 'authenticatorId'), code)).status, 200);
});

test('the first authenticator requires a sign-in within ten minutes, which a refresh does not renew', async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  service.clock.advance(11 * 60);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: session.refresh });
  const answer = await enrollFirst(person, text(refreshed, 'accessToken'));
  assertProblem(answer, 401, 'recent_sign_in_required');
  assert.equal(
    answer.headers.get('x-amzn-remapped-www-authenticate'),
    'Bearer error="insufficient_user_authentication"',
  );
});

test('a further authenticator requires a code or a backup code, never a session alone', async () => {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  assertProblem(await enroll(enrolled.access), 400, 'invalid_request');
  assert.deepEqual(await storedRecord(service, person), before);
  assertProblem(await enroll(enrolled.access, { code: enrolled.wrongCode() }), 401, 'code_rejected');
  const code = enrolled.code();
  assert.equal((await enroll(enrolled.access, { code })).status, 201);
  assertProblem(await enroll(enrolled.access, { code }), 401, 'code_rejected');
  const [backupCode = ''] = enrolled.backupCodes;
  assert.equal((await enroll(enrolled.access, { backupCode })).status, 201);
  assertProblem(await enroll(enrolled.access, { backupCode }), 401, 'code_rejected');
});

test('without a second factor a code is refused', async () => {
  const { access } = await signIn(client, await createPerson(service));
  assertProblem(await enroll(access, { code: '123456' }), 409, 'not_enrolled');
});

test('the authenticator in force works while another is pending', async () => {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  const pending = await enroll(enrolled.access, { name: 'New phone', code: enrolled.code() });
  const code = codeAt(text(pending, 'secret'), service.clock.seconds());
  assertProblem(
    await client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), code }),
    401,
    'code_rejected',
  );
  const answer = await client.post('/v1/auth/verify', {
    challengeToken: await challengeFor(client, person),
    code: enrolled.nextCode(),
  });
  assert.equal(answer.status, 200);
});

test('a new enrollment replaces the pending one', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const [first, second] = [await enrollFirst(person, access), await enrollFirst(person, access)];
  const codeOf = (answer: typeof first) => codeAt(text(answer, 'secret'), service.clock.seconds());
  assertProblem(
    await confirm(access, text(first, 'authenticatorId'), codeOf(first)),
    404,
    'enrollment_not_found',
  );
  assert.equal((await confirm(access, text(second, 'authenticatorId'), codeOf(second))).status, 200);
});

test('an unconfirmed enrollment expires after ten minutes and locks nobody out', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const answer = await enrollFirst(person, access);
  service.clock.advance(601);
  const { access: later } = await signIn(client, person);
  const code = codeAt(text(answer, 'secret'), service.clock.seconds());
  assertProblem(await confirm(later, text(answer, 'authenticatorId'), code), 404, 'enrollment_not_found');
  assert.equal((await enrollFirst(person, later)).status, 201);
});

test('a user can have five authenticators, each of which works, and no sixth', async () => {
  const person = await createPerson(service);
  let { access, secret, authenticatorId, nextCode } = await enrollPerson(service, client, person);
  const secrets = [secret];
  for (let number = 2; number <= 5; number++) {
    const pending = await enroll(access, { name: `Number ${number}`, code: nextCode() });
    secret = text(pending, 'secret');
    authenticatorId = text(pending, 'authenticatorId');
    const confirmed = await confirm(access, authenticatorId, codeAt(secret, service.clock.seconds()));
    assertFields(confirmed, 200, [
      'authenticatorId',
      'accessToken',
      'refreshToken',
      'tokenType',
      'expiresIn',
    ]);
    access = text(confirmed, 'accessToken');
    secrets.push(secret);
  }
  for (const each of secrets) {
    service.clock.advance(30);
    const answer = await client.post('/v1/auth/verify', {
      challengeToken: await challengeFor(client, person),
      code: codeAt(each, service.clock.seconds()),
    });
    assert.equal(answer.status, 200);
    access = text(answer, 'accessToken');
  }
  const status = await client.get('/v1/authenticators', access);
  assert.deepEqual(
    (status.body['authenticators'] as { name: string }[]).map(({ name }) => name),
    ['Authenticator app', 'Number 2', 'Number 3', 'Number 4', 'Number 5'],
  );
  const before = await storedRecord(service, person);
  assertProblem(await enroll(access, { code: nextCode() }), 409, 'authenticator_limit');
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a name is trimmed text of up to 64 bytes, without control characters or broken text', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  for (const name of ['', '   ', 'x'.repeat(65), 'ü'.repeat(33), 'a\nb', 'a\u0000b', '\ud800']) {
    const answer = await enrollFirst(person, access, { name });
    assertProblem(answer, 400, 'invalid_request');
    assert.match(text(answer, 'detail'), /^name/);
  }
  for (const name of ['ü'.repeat(32), '日本語', '👍🏽', ' Phone ', '<script>"\'&']) {
    assert.equal((await enrollFirst(person, access, { name })).status, 201, name);
  }
});
