import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../adapters/problem.ts';
import { CountersignError, type ErrorCode, unavailable } from '../../core/error.ts';
import { operationErrors } from '../../functions/contract/errors.ts';

const codes = Object.keys(operationErrors) as ErrorCode[];
const of = (error: CountersignError) => {
  const { statusCode, headers, body } = problem(error, 'request-1');
  return { statusCode, headers, body: JSON.parse(body) };
};

for (const code of codes) {
  test(`${code} is a problem of RFC 9457 with its stable code`, () => {
    const { statusCode, headers, body } = of(new CountersignError(code));
    assert.equal(headers['content-type'], 'application/problem+json');
    assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'code', 'detail', 'requestId']);
    assert.equal(body.type, `urn:countersign:error:${code}`);
    assert.deepEqual([body.code, body.status, body.requestId], [code, statusCode, 'request-1']);
    assert.ok(statusCode >= 400 && statusCode < 600);
    assert.match(body.title, /^[A-Z].*\.$/);
    assert.ok(body.detail.length > 0);
  });
}

test('only a fault of ours is a 5xx', () => {
  const faults = codes.filter((code) => operationErrors[code].status >= 500);
  assert.deepEqual(faults, ['temporarily_unavailable', 'internal_error']);
});

test('Retry-After where waiting helps, in whole seconds', () => {
  assert.equal(of(unavailable()).headers['retry-after'], '1');
  assert.equal(
    of(new CountersignError('too_many_attempts', '', { retryAfter: 30 })).headers['retry-after'],
    '30',
  );
  assert.equal('retry-after' in of(new CountersignError('factor_stopped')).headers, false);
});

test('a cause is never told', () => {
  const { body } = of(unavailable(new Error('secret-123456')));
  assert.equal(JSON.stringify(body).includes('123456'), false);
});

test('a refused access token says so as RFC 6750 and RFC 9470 have it', () => {
  const challenge = (code: ErrorCode) => of(new CountersignError(code)).headers['www-authenticate'];
  assert.equal(challenge('token_invalid'), 'Bearer error="invalid_token"');
  assert.equal(challenge('recent_sign_in_required'), 'Bearer error="insufficient_user_authentication"');
  assert.equal(challenge('insufficient_scope'), 'Bearer error="insufficient_scope"');
  assert.equal(challenge('code_rejected'), undefined);
});
