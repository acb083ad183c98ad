import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../src/iam/policy.ts';
import { type SignedRequest, verifySignature } from '../../src/iam/sigv4.ts';

// AWS's published Signature Version 4 test suite.
const example: Principal = {
  arn: 'arn:aws:iam::111122223333:user/example',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  policies: [],
};
const SIGNED_AT = Date.parse('2015-08-30T12:36:00Z');
const VANILLA = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';

function verify(
  signature: string,
  change: Partial<SignedRequest> = {},
  headers: Record<string, string> = {},
  now = SIGNED_AT,
): Principal {
  const scope = '20150830/us-east-1/service/aws4_request';
  return verifySignature(
    {
      method: 'GET',
      path: '/',
      query: '',
      body: Buffer.alloc(0),
      ...change,
      headers: {
        host: 'example.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
        ...headers,
      },
    },
    (id) => (id === example.accessKeyId ? example : undefined),
    { service: 'service', region: 'us-east-1', now },
  );
}

test("AWS's test suite verifies", () => {
  assert.equal(verify(VANILLA), example);
  const query = 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500';
  assert.equal(verify(query, { query: 'Param2=value2&Param1=value1' }), example);
  const post = '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b';
  assert.equal(verify(post, { method: 'POST' }), example);
});

test('anything altered is refused', () => {
  const refused = { name: 'InvalidSignatureException' };
  assert.throws(() => verify(VANILLA.replace('5', '6')), refused);
  assert.throws(() => verify(VANILLA.slice(2)), refused);
  assert.throws(() => verify(VANILLA, { method: 'POST' }), refused);
  assert.throws(() => verify(VANILLA, { path: '/other' }), refused);
  assert.throws(() => verify(VANILLA, { query: 'a=b' }), refused);
  assert.throws(() => verify(VANILLA, { body: Buffer.from('{}') }), refused);
  assert.throws(() => verify(VANILLA, {}, { host: 'elsewhere' }), refused);
  assert.throws(() => verify(VANILLA, {}, { 'x-amz-target': 'DynamoDB_20120810.PutItem' }), refused);
  assert.throws(() => verify(VANILLA, {}, { 'x-amz-date': '20150830T123601Z' }), refused);
});

test('five minutes of skew pass and no more, whichever way', () => {
  assert.equal(verify(VANILLA, {}, {}, SIGNED_AT + 300_000), example);
  assert.equal(verify(VANILLA, {}, {}, SIGNED_AT - 300_000), example);
  assert.throws(() => verify(VANILLA, {}, {}, SIGNED_AT + 301_000), /Signature expired: 20150830T123600Z/);
  assert.throws(() => verify(VANILLA, {}, {}, SIGNED_AT - 301_000), /Signature not yet current/);
});

test('a missing, incomplete, foreign or mistargeted signature has its own name', () => {
  const credential = (scope: string, id = 'AKIDEXAMPLE') => ({
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=host;x-amz-date, Signature=${VANILLA}`,
  });
  const scope = '20150830/us-east-1/service/aws4_request';
  const cases: [Record<string, string>, string][] = [
    [{ authorization: '' }, 'MissingAuthenticationTokenException'],
    [{ authorization: 'Bearer x' }, 'MissingAuthenticationTokenException'],
    [{ authorization: 'AWS4-HMAC-SHA256 Credential=a' }, 'IncompleteSignatureException'],
    [{ 'x-amz-date': 'yesterday' }, 'IncompleteSignatureException'],
    [credential(scope, 'AKIDNOBODY'), 'UnrecognizedClientException'],
    [{ 'x-amz-security-token': 'one' }, 'InvalidSignatureException'],
    [credential(scope.replace('us-east-1', 'eu-west-1')), 'InvalidSignatureException'],
    [credential(scope.replace('/service', '/kms')), 'InvalidSignatureException'],
  ];
  for (const [headers, name] of cases) assert.throws(() => verify(VANILLA, {}, headers), { name });
});
