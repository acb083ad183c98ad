import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { admin, problem, runGateway } from './running.ts';

const { clock, accessLog, api, send, close } = await runGateway();
after(close);

const withKey = (name: string) => ({ 'x-api-key': `value-of-${name}` });

test('an unknown path or method is MISSING_AUTHENTICATION_TOKEN, in the form of the default', async () => {
  for (const [name, path] of [
    ['GET', '/nowhere'],
    ['DELETE', '/users'],
    ['GET', '/'],
    ['HEAD', '/users'],
    ['GET', '/users//unlock'],
    ['GET', '/%75sers'],
  ] as const) {
    const answer = await send(name, path, { Origin: 'https://x.example' });
    assert.equal(answer.status, 403, path);
    assert.equal(answer.headers['x-amzn-errortype'], 'MissingAuthenticationTokenException');
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.headers['access-control-allow-origin'], 'https://x.example');
    if (name === 'HEAD') assert.equal(answer.body, '');
    else assert.equal(problem(answer), 'MISSING_AUTHENTICATION_TOKEN');
  }
});

test('IAM: unsigned, wrongly signed, not allowed, allowed', async () => {
  const unsigned = await send('GET', '/admin');
  assert.deepEqual([unsigned.status, problem(unsigned)], [403, 'MISSING_AUTHENTICATION_TOKEN']);
  const wrong = await send('GET', '/admin', { Authorization: 'Bearer x' });
  assert.deepEqual([wrong.status, problem(wrong)], [403, 'INVALID_SIGNATURE']);
  const denied = await send('GET', '/admin/', { Authorization: 'AWS4-HMAC-SHA256 x' });
  assert.deepEqual([denied.status, problem(denied)], [403, 'ACCESS_DENIED']);
  assert.match(denied.body, /user\/admin is not authorized .*:\*{8}0000:/);
  const allowed = JSON.parse((await send('GET', '/admin', { Authorization: 'AWS4-HMAC-SHA256 x' })).body);
  assert.equal(allowed.requestContext.identity.userArn, admin.arn);
  assert.equal(allowed.headers.Authorization, undefined);
});

test('API key: missing, unknown, disabled, in no plan, and one that passes', async () => {
  const refusals = [{}, { 'x-api-key': 'nobody' }, withKey('DisabledKey'), withKey('LooseKey')];
  for (const headers of refusals) {
    const answer = await send('GET', '/keyed', headers);
    assert.deepEqual([answer.status, problem(answer)], [403, 'INVALID_API_KEY'], JSON.stringify(headers));
  }
  const { requestContext } = JSON.parse(
    (await send('GET', '/keyed', { 'X-API-Key': 'value-of-GenerousKey' })).body,
  );
  assert.equal(requestContext.identity.apiKey, 'value-of-GenerousKey');
  assert.equal(requestContext.identity.apiKeyId, api.keys.find(({ name }) => name === 'GenerousKey')?.id);
});

test("a usage plan's bucket empties and fills again, and a method's own is apart", async () => {
  // Buckets fill by the time: it must not pass by itself.
  clock.stop();
  const statusOf = async (name: string) => (await send(name, '/keyed', withKey('TightKey'))).status;
  const statuses = await Promise.all(Array.from({ length: 5 }, () => statusOf('GET')));
  assert.deepEqual(statuses.toSorted(), [200, 200, 200, 429, 429]);
  assert.equal(await statusOf('POST'), 200);
  assert.equal(await statusOf('POST'), 429);
  const refused = await send('GET', '/keyed', withKey('TightKey'));
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  assert.equal((await send('GET', '/keyed', withKey('GenerousKey'))).status, 200);
  clock.advance(2);
  assert.equal(await statusOf('GET'), 200);
  assert.equal(await statusOf('POST'), 429);
  clock.advance(10);
  assert.equal(await statusOf('POST'), 200);
});

test('a quota is used up for the day', async () => {
  const get = () => send('GET', '/keyed', withKey('QuotaKey'));
  assert.deepEqual([(await get()).status, (await get()).status], [200, 200]);
  const over = await get();
  assert.deepEqual([over.status, problem(over)], [429, 'QUOTA_EXCEEDED']);
  clock.advance(86_400);
  assert.equal((await get()).status, 200);
});

test("the stage's own limit holds without a key", async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 3; at++) statuses.push((await send('GET', '/stage')).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test('a preflight is answered by the mock, for each configured origin', async () => {
  const originFor = async (origin?: string) => {
    const { status, headers, body } = await send('OPTIONS', '/users', origin ? { Origin: origin } : {});
    assert.deepEqual([status, body, headers['vary']], [204, '', 'Origin']);
    return headers['access-control-allow-origin'];
  };
  assert.equal(await originFor('https://a.example'), 'https://a.example');
  assert.equal(await originFor('https://c.example'), 'https://c.example');
  assert.equal(await originFor('https://evil.example'), 'https://a.example');
  assert.equal(await originFor(), 'https://a.example');
});

test('a body over 10 MB is 413, and headers over 10 KB are refused', async () => {
  const large = await send('POST', '/users', {}, Buffer.alloc(10_485_761, 'x'));
  assert.deepEqual([large.status, problem(large)], [413, 'REQUEST_TOO_LARGE']);
  assert.equal((await send('GET', '/users', { 'X-Long': 'x'.repeat(11_000) })).status, 431);
});

test("every request is in the access log, in the stage's format", async () => {
  accessLog.length = 0;
  await send('GET', '/users/me');
  await send('GET', '/nowhere');
  assert.deepEqual(accessLog, ['GET /users/me 200 -', 'GET - 403 MISSING_AUTHENTICATION_TOKEN']);
});
