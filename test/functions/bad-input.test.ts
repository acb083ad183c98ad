// Every operation that takes a body must refuse bad input in the same way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
import {
  type Answer,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);

const withBody = (Object.entries(routes) as [Operation, Route][]).filter(
  ([, { method, caller }]) => method === 'POST' && caller !== 'iam',
);

/** Bodies that are well-formed. Each case below breaks them in one way. */
const WELL_FORMED: Partial<Record<Operation, Record<string, unknown>>> = {
  login: { username: 'somebody', password: 'Some-password-1' },
  'verify-login': { challengeToken: 'CHALLENGE', code: '123456' },
  refresh: { refreshToken: 'REFRESH' },
  logout: { refreshToken: 'REFRESH' },
  enroll: { name: 'Phone', code: '123456' },
  confirm: { authenticatorId: 'abcdefghijklmnop', code: '123456' },
  verify: { code: '123456' },
  disable: { authenticatorId: 'abcdefghijklmnop', code: '123456' },
  'rotate-backup-codes': { code: '123456' },
};

/** Fields that may be left out. */
const OPTIONAL = new Set(['enroll/name', 'enroll/code', 'disable/authenticatorId']);

test('every operation with a body has a well-formed one here', () => {
  assert.deepEqual(withBody.map(([operation]) => operation).sort(), Object.keys(WELL_FORMED).sort());
});

for (const [operation, route] of withBody) {
  const well = WELL_FORMED[operation] ?? {};

  test(`${operation}: bad input is a 4xx with a stable code, stores nothing and spends no attempt`, async () => {
    const person = await createPerson(service);
    const { access, refresh } = await enrollPerson(service, client, person);
    const challenge = await challengeFor(client, person);
    const filled = Object.fromEntries(
      Object.entries(well).map(([name, value]) => [
        name,
        value === 'CHALLENGE' ? challenge : value === 'REFRESH' ? refresh : value,
      ]),
    );
    const before = await storedRecord(service, person);
    const send = (body: string | Buffer | undefined, contentType: string | undefined = 'application/json') =>
      fetch(service.url + route.path, {
        method: 'POST',
        headers: {
          'x-api-key': service.local.apiKey,
          ...(contentType && { 'content-type': contentType }),
          ...(route.caller === 'bearer' && { authorization: `Bearer ${access}` }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : Uint8Array.from(body) }),
      });
    const refused = async (
      what: string,
      status: number,
      code: string,
      ...request: Parameters<typeof send>
    ): Promise<void> => {
      // The usage plan allows a request every tenth of a second, so the clock advances that far.
      service.clock.advance(0.1);
      const response = await send(...request);
      const body = (await response.json()) as Answer['body'];
      const answer = { status: response.status, headers: response.headers, body };
      assert.deepEqual({ what, status, code }, { what, status: answer.status, code: body['code'] });
      assertProblem(answer, status, code);
      assertPrivate(answer);
      assert.ok(!text(answer, 'detail').includes('123456'), `${what}: the detail quotes the code`);
    };
    const invalid = (what: string, body: unknown) =>
      refused(what, 400, 'invalid_request', typeof body === 'string' ? body : JSON.stringify(body));

    for (const broken of [
      '',
      '{',
      '{"code":',
      'code=123456',
      '{"a":1}}',
      "{'code':'123456'}",
      '\u0000',
      'NaN',
    ]) {
      await refused(`broken JSON ${broken}`, 400, 'invalid_json', broken);
    }
    await refused('invalid UTF-8', 400, 'invalid_request', Buffer.from('{"c\xffde":"123456"}', 'latin1'));
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'text/json',
    ]) {
      await refused(`content type ${type}`, 415, 'unsupported_media_type', JSON.stringify(filled), type);
    }
    for (const body of [null, true, 7, '"text"', [], [filled], [[]]]) await invalid(`body ${body}`, body);
    for (const extra of ['skip', 'userId', 'amr', 'enrolled', 'now', 'constructor', 'toString']) {
      await invalid(`field ${extra}`, { ...filled, [extra]: 'x' });
    }
    for (const name of ['__proto__', 'constructor']) {
      const polluted = `{"${name}":{"code":"123456","admin":true},${JSON.stringify(filled).slice(1)}`;
      await invalid(name, polluted);
    }
    for (const name of Object.keys(filled)) {
      const { [name]: _, ...rest } = filled;
      if (!OPTIONAL.has(`${operation}/${name}`)) {
        await invalid(`no ${name}`, rest);
        await invalid(
          `${name} only inherited`,
          `{"__proto__":${JSON.stringify(filled)},${JSON.stringify(rest).slice(1)}`.replace(',}', '}'),
        );
      }
      for (const value of [123456, 0, true, null, [], {}, ['123456'], { code: '123456' }, '']) {
        await invalid(`${name}: ${JSON.stringify(value)}`, { ...filled, [name]: value });
      }
    }
    if ('code' in filled) {
      for (const code of [
        '12345',
        '1234567',
        '123456789',
        '123.456',
        '12 34 5',
        '12345a',
        '１２３４５',
        ' '.repeat(59) + 123456,
        '-12345',
        '1e5000',
        '0x1234',
      ]) {
        await invalid(`code ${code}`, { ...filled, code });
      }
    }
    if ('code' in filled && operation !== 'confirm' && operation !== 'rotate-backup-codes') {
      const { code: _, ...rest } = filled;
      for (const backupCode of [
        '',
        'abcd',
        'x'.repeat(15),
        'x'.repeat(17),
        'xxxx_xxxx_xxxx_xxxx',
        'é'.repeat(16),
        'x'.repeat(65),
      ]) {
        await invalid(`backupCode ${backupCode}`, { ...rest, backupCode });
      }
      await invalid('both', { ...filled, backupCode: 'xxxx-xxxx-xxxx-xxxx' });
    }
    await invalid('nested a thousand deep', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`);
    const padded = (bytes: number) => JSON.stringify(filled).padEnd(bytes);
    await refused('over 16 KB', 413, 'body_too_large', padded(16 * 1024 + 1));
    await refused('a megabyte', 413, 'body_too_large', padded(1024 * 1024));
    await refused('a megabyte of nonsense', 413, 'body_too_large', 'x'.repeat(1024 * 1024), 'text/plain');

    assert.deepEqual(await storedRecord(service, person), before);
  });
}

test('a body of exactly 16 KB and a content type with parameters in any case are accepted', async () => {
  const { access } = await enrollPerson(service, client, await createPerson(service));
  const body = '{"code":"000000"}'.padEnd(16 * 1024);
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
  ]) {
    const answer = await client.call('POST', '/v1/authenticators/verify', {
      body,
      bearer: access,
      headers: { 'content-type': type },
    });
    assertProblem(answer, 401, 'code_rejected');
  }
});

test("a body over API Gateway's own limit is refused in the same format", async () => {
  const answer = await client.post('/v1/auth/login', 'x'.repeat(11 * 1024 * 1024));
  assertProblem(answer, 413, 'body_too_large');
});

test('the client cannot set the time', async () => {
  const person = await createPerson(service);
  const { access, code } = await enrollPerson(service, client, person);
  const past = code();
  service.clock.advance(120);
  const answer = await client.call('POST', '/v1/authenticators/verify', {
    body: { code: past },
    bearer: access,
    headers: {
      date: new Date(service.clock.now() - 120_000).toUTCString(),
      'x-amz-date': '20200101T000000Z',
    },
  });
  assertProblem(answer, 401, 'code_rejected');
});
