import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import {
  atMostOne,
  authenticatorName,
  code,
  credential,
  exactlyOne,
  signInFields,
  token,
} from '../../../functions/contract/fields.ts';

const LONE_SURROGATE = '\ud800';

test('a code is six or eight digits and nothing besides', () => {
  for (const right of ['123456', '12345678']) assert.ok(v.is(code, right));
  for (const wrong of ['1234567', '123456789', '123456a', '123456.', '+123456', '12345', '१२३४५६', 123456]) {
    assert.equal(v.is(code, wrong), false, JSON.stringify(wrong));
  }
});

test('a user name or a password is text, up to the length that Cognito takes', () => {
  assert.ok(v.is(credential(8), 'pass wor'));
  for (const wrong of ['', 'password9', LONE_SURROGATE, `a${LONE_SURROGATE}b`]) {
    assert.equal(v.is(credential(8), wrong), false, JSON.stringify(wrong));
  }
});

test('a token has 4096 characters at most', () => {
  assert.ok(v.is(token, 'x'.repeat(4096)));
  for (const wrong of ['', 'x'.repeat(4097)]) assert.equal(v.is(token, wrong), false);
});

test('the name of an authenticator is text that can be drawn, of 64 bytes at most', () => {
  for (const right of ['Phone', 'Ünlü 📱', 'x'.repeat(64)]) assert.ok(v.is(authenticatorName, right), right);
  for (const wrong of ['', ' ', 'a\u0000b', 'a\nb', LONE_SURROGATE, 'x'.repeat(65), 'é'.repeat(33)]) {
    assert.equal(v.is(authenticatorName, wrong), false, JSON.stringify(wrong));
  }
});

test('one request tries one proof', () => {
  const fields = v.strictObject(signInFields);
  const proofs = {
    code: '123456',
    backupCode: '0123-4567-89ab-cdef',
    enrollmentTicket: '0123-4567-89ab-cdef',
  };
  const { code: one, backupCode, enrollmentTicket } = proofs;
  const optional = v.pipe(fields, atMostOne());
  const wanted = v.pipe(fields, exactlyOne());
  for (const body of [{ code: one }, { backupCode }, { enrollmentTicket }]) {
    assert.ok(v.is(optional, body) && v.is(wanted, body));
  }
  for (const body of [
    { code: one, backupCode },
    { code: one, enrollmentTicket },
    { backupCode, enrollmentTicket },
    proofs,
  ]) {
    assert.equal(v.is(optional, body) || v.is(wanted, body), false, JSON.stringify(body));
  }
  assert.deepEqual([v.is(optional, {}), v.is(wanted, {})], [true, false]);
});
