import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { header, parseBody } from '../../adapters/body.ts';
import { CountersignError } from '../../core/error.ts';
import {
  authenticatorName,
  code,
  exactlyOne,
  id,
  proofFields,
  token,
} from '../../functions/contract/fields.ts';
import { gatewayEvent } from '../support/gateway-event.ts';
import { refusal } from '../support/refusal.ts';

const schema = v.pipe(
  v.strictObject({ challengeToken: v.optional(token), name: v.optional(authenticatorName), ...proofFields }),
  exactlyOne(),
);
const parse = (body: unknown, headers?: Record<string, string>) =>
  parseBody(gatewayEvent({ body: JSON.stringify(body), ...(headers && { headers }) }), schema);
/** What the refusal of this body says. */
function detailOf(body: object, given: v.GenericSchema = schema): string {
  try {
    parseBody(gatewayEvent({ body: JSON.stringify(body) }), given);
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'invalid_request') return error.message;
    throw error;
  }
  return assert.fail(`accepted: ${JSON.stringify(body)}`);
}

test('a body of its form is taken as it is', () => {
  assert.deepEqual(parse({ code: '123456' }), { code: '123456' });
});

test('a code is taken however it is typed, and handed on as the code itself', () => {
  for (const [typed, code] of [
    [' 123 456\n', '123456'],
    ['１２３\u301c４５６', '123456'],
    ['1234-5678', '12345678'],
  ]) {
    assert.deepEqual(parse({ code: typed }), { code });
  }
  assert.deepEqual(parse({ backupCode: 'ABCD-efgh\u00a00123\u20114567' }), {
    backupCode: 'abcdefgh01234567',
  });
});

test('a code is 64 characters at most as it is typed, and is read no further', () => {
  const spaced = (length: number) => '123456'.padEnd(length);
  assert.deepEqual(parse({ code: spaced(64) }), { code: '123456' });
  assert.equal(detailOf({ code: spaced(65) }), 'code: at most 64 characters.');
  assert.equal(detailOf({ backupCode: 'x'.repeat(65) }), 'backupCode: at most 64 characters.');
});

test('a base64 body is taken as what it encodes', () => {
  const body = Buffer.from('{"code":"123456"}').toString('base64');
  assert.deepEqual(parseBody(gatewayEvent({ body, isBase64Encoded: true }), schema), { code: '123456' });
});

test('media types: JSON in any case and with parameters, nothing else', () => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;x=y',
  ]) {
    parse({ code: '123456' }, { 'content-type': type });
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json5',
    '',
    'text/plain; application/json',
  ]) {
    assert.throws(
      () => parse({ code: '123456' }, { 'content-type': type }),
      refusal('unsupported_media_type'),
      type,
    );
  }
  assert.throws(() => parse({ code: '123456' }, {}), refusal('unsupported_media_type'));
});

test('sixteen kilobytes and no byte more, counted in bytes', () => {
  const sized = (bytes: number) => gatewayEvent({ body: `{"code":"123456"${' '.repeat(bytes - 17)}}` });
  parseBody(sized(16_384), schema);
  assert.throws(() => parseBody(sized(16_385), schema), refusal('body_too_large'));
  assert.throws(() => parse({ code: 'é'.repeat(8200) }), refusal('body_too_large'));
  assert.throws(() => parse({ code: '1'.repeat(1_000_000) }), refusal('body_too_large'));
});

test('what is no JSON is refused by its code alone', () => {
  for (const body of [
    '',
    '{',
    '{"code":"123456"',
    "{'code':1}",
    '{"code":"123456"}}',
    'code=123456',
    '\u0000',
    null,
  ]) {
    assert.throws(() => parseBody(gatewayEvent({ body }), schema), refusal('invalid_json'));
  }
  const invalidUtf8 = Buffer.concat([Buffer.from('{"code":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]);
  const event = gatewayEvent({ body: invalidUtf8.toString('base64'), isBase64Encoded: true });
  assert.throws(() => parseBody(event, schema), refusal('invalid_json'));
});

test('JSON that is no object is refused, also where every field is optional', () => {
  const optional = v.strictObject({ name: v.optional(authenticatorName) });
  for (const body of ['[]', '[1]', 'null', '7', '"text"', 'true']) {
    assert.throws(() => parseBody(gatewayEvent({ body }), optional), refusal('invalid_request'), body);
  }
});

test('a code is six or eight digits in a string and nothing else', () => {
  for (const wrong of [
    123456,
    ['123456'],
    null,
    {},
    true,
    '',
    '12345',
    '1234567',
    '123456789',
    '12345a',
    '123.456',
    '١٢٣٤٥٦',
    '+12345',
    '1e5000',
  ]) {
    assert.throws(() => parse({ code: wrong }), refusal('invalid_request'), JSON.stringify(wrong));
  }
  for (const right of ['000000', '12345678']) parse({ code: right });
});

test('both or neither of code and backupCode are refused', () => {
  for (const body of [{}, { code: '123456', backupCode: '0000-0000-0000-0000' }]) {
    assert.equal(detailOf(body), 'The body: exactly one of code and backupCode.');
  }
});

test('unknown fields are refused', () => {
  const extras = [
    'skip',
    'enrolled',
    'userId',
    'amr',
    'secret',
    'now',
    'timestamp',
    'Code',
    'code ',
    'constructor',
    'toString',
  ];
  for (const extra of extras) {
    assert.throws(() => parse({ code: '123456', [extra]: true }), refusal('invalid_request'), extra);
  }
  const event = gatewayEvent({ body: '{"code":"123456","__proto__":{"skip":true}}' });
  assert.throws(() => parseBody(event, schema), refusal('invalid_request'));
});

test('the refusal says where and what is allowed', () => {
  const required = v.strictObject({ authenticatorId: id, code });
  const detail = (body: object) => detailOf(body, required);
  assert.equal(detail({ authenticatorId: 'a' }), 'code is required.');
  assert.equal(detail({ authenticatorId: 'a', code: '12' }), 'code: six or eight digits.');
  assert.equal(detail({ authenticatorId: 'a', code: 12 }), 'code is malformed.');
  assert.equal(
    detail({ authenticatorId: 'a/b', code: '123456' }),
    'authenticatorId: an id as this service gave it.',
  );
});

test('no value is quoted in a refusal', () => {
  const known = ['code', 'backupCode', 'challengeToken', 'name'];
  fc.assert(
    fc.property(
      fc.constantFrom(...known),
      fc.stringMatching(/^Q_[\w-]{7,30}$/),
      fc.boolean(),
      (field, secret, nested) => {
        const value =
          field === 'name' ? secret.padEnd(65, 'Q') : field === 'challengeToken' ? [secret] : secret;
        const detail = detailOf({ [field]: nested ? { [secret]: secret } : value });
        assert.equal(detail.includes(secret), false, detail);
      },
    ),
  );
});

test('no name of an unknown field is quoted in a refusal: it may be a code', () => {
  for (const secret of ['123456', 'h8y3-iwzg-kyfu-pwi7', 'correct-horse']) {
    const detail = detailOf({ [secret]: 'code', code: '123456' });
    assert.equal(detail.includes(secret), false, detail);
  }
});

test('neither a name within a field nor a message of the schema library is quoted', () => {
  const inner = v.strictObject({ amounts: v.record(v.string(), v.pipe(v.number(), v.maxValue(5))) });
  const detail = detailOf({ amounts: { 'correct-horse': 123456 } }, inner);
  assert.equal(detail, 'The body is malformed.');
  assert.equal(detailOf({ amounts: { 'correct-horse': 'x' } }, inner), 'The body is malformed.');
  const plain = v.strictObject({ amount: v.pipe(v.number(), v.maxValue(5)) });
  assert.equal(detailOf({ amount: 123456 }, plain), 'amount is malformed.');
});

test('a header is found in any case, and an absent one is not', () => {
  const event = gatewayEvent({ headers: { 'X-Thing': 'one' } });
  assert.deepEqual([header(event, 'x-thing'), header(event, 'x-other')], ['one', undefined]);
});
