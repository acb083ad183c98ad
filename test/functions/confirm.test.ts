import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  clientOf,
  codeAt,
  enrollPerson,
  SESSION,
  signIn,
  text,
  wrongCodeAt,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const confirm = (access: string, body: Record<string, unknown>) =>
  client.post('/v1/totp/confirm', body, access);

async function pending() {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const answer = await client.post('/v1/totp/enroll', { password: person.password }, access);
  const secret = text(answer, 'secret');
  return {
    person,
    access,
    secret,
    authenticatorId: text(answer, 'authenticatorId'),
    code: () => codeAt(secret, service.clock.seconds()),
  };
}

test('the first confirmation switches the factor on and shows ten backup codes', async () => {
  const { access, authenticatorId, code } = await pending();
  const answer = await confirm(access, { authenticatorId, code: code() });
  assertFields(answer, 200, [...SESSION, 'authenticatorId', 'backupCodes']);
  assertPrivate(answer);
  assert.equal(answer.body['authenticatorId'], authenticatorId);
  const codes = answer.body['backupCodes'] as string[];
  assert.equal(new Set(codes).size, 10);
  for (const backupCode of codes)
    assert.match(backupCode, /^(?:[0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
});

test('a further authenticator brings no backup codes and keeps the existing ones', async () => {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  const second = await client.post('/v1/totp/enroll', { code: enrolled.code() }, enrolled.access);
  const answer = await confirm(enrolled.access, {
    authenticatorId: text(second, 'authenticatorId'),
    code: codeAt(text(second, 'secret'), service.clock.seconds()),
  });
  assertFields(answer, 200, [...SESSION, 'authenticatorId']);
  const [backupCode = ''] = enrolled.backupCodes;
  const used = await client.post('/v1/authenticators/verify', { backupCode }, text(answer, 'accessToken'));
  assert.equal(used.status, 200);
});

test('an enrollment can be confirmed only once', async () => {
  const { access, authenticatorId, code, secret } = await pending();
  const answer = await confirm(access, { authenticatorId, code: code() });
  service.clock.advance(30);
  const again = { authenticatorId, code: codeAt(secret, service.clock.seconds()) };
  assertProblem(await confirm(access, again), 401, 'token_invalid');
  assertProblem(await confirm(text(answer, 'accessToken'), again), 404, 'enrollment_not_found');
});

test("another user's authenticator id is a 404 and leaves their enrollment unchanged", async () => {
  const [ours, theirs] = [await pending(), await pending()];
  const before = await storedRecord(service, theirs.person);
  const answer = await confirm(ours.access, { authenticatorId: theirs.authenticatorId, code: theirs.code() });
  assertProblem(answer, 404, 'enrollment_not_found');
  assert.deepEqual(await storedRecord(service, theirs.person), before);
});

test('a secret from the client is refused', async () => {
  const { access, authenticatorId } = await pending();
  const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
  const code = codeAt(secret, service.clock.seconds());
  assertProblem(await confirm(access, { authenticatorId, code, secret }), 400, 'invalid_request');
  assertProblem(await confirm(access, { authenticatorId, code }), 401, 'code_rejected');
});

test('five wrong codes end the enrollment and lock nothing', async () => {
  const { person, access, authenticatorId, secret, code } = await pending();
  for (let failures = 1; failures <= 5; failures++) {
    const wrong = wrongCodeAt(secret, service.clock.seconds());
    assertProblem(await confirm(access, { authenticatorId, code: wrong }), 401, 'code_rejected');
  }
  assertProblem(await confirm(access, { authenticatorId, code: code() }), 404, 'enrollment_not_found');
  const again = await client.post('/v1/totp/enroll', { password: person.password }, access);
  const right = codeAt(text(again, 'secret'), service.clock.seconds());
  const answer = await confirm(access, { authenticatorId: text(again, 'authenticatorId'), code: right });
  assert.equal(answer.status, 200);
});

test('confirming a further authenticator does not clear the failures of the factor in force', async () => {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  const second = await client.post('/v1/totp/enroll', { code: enrolled.code() }, enrolled.access);
  for (let failures = 1; failures <= 4; failures++) {
    const wrong = { code: enrolled.wrongCode() };
    assertProblem(
      await client.post('/v1/authenticators/verify', wrong, enrolled.access),
      401,
      'code_rejected',
    );
  }
  const answer = await confirm(enrolled.access, {
    authenticatorId: text(second, 'authenticatorId'),
    code: codeAt(text(second, 'secret'), service.clock.seconds()),
  });
  const access = text(answer, 'accessToken');
  const wrong = { code: enrolled.wrongCode() };
  assertProblem(await client.post('/v1/authenticators/verify', wrong, access), 401, 'code_rejected');
  assertProblem(await client.post('/v1/authenticators/verify', wrong, access), 429, 'too_many_attempts');
});

test('the first confirmation requires a recent sign-in, as its enrollment did', async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  service.clock.advance(590);
  const { access } = await signIn(client, person);
  const enrolled = await client.post('/v1/totp/enroll', { password: person.password }, access);
  service.clock.advance(20);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: session.refresh });
  const body = {
    authenticatorId: text(enrolled, 'authenticatorId'),
    code: codeAt(text(enrolled, 'secret'), service.clock.seconds()),
  };
  assertProblem(await confirm(text(refreshed, 'accessToken'), body), 401, 'recent_sign_in_required');
  assert.equal((await confirm(access, body)).status, 200);
});
