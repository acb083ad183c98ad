import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { readEnvironment } from '../../adapters/environment.ts';

const given = { TABLE_NAME: 'records', SETTINGS: '{"realm":"users"}', CLIENTS: '{"key-1":"web"}' };
const names = ['TABLE_NAME', 'SETTINGS', 'CLIENTS'] as const;
beforeEach(() => void Object.assign(process.env, given));
afterEach(() => {
  for (const name of names) delete process.env[name];
});

test('what is named is read, parsed once, with its defaults', () => {
  const { TABLE_NAME, SETTINGS, CLIENTS } = readEnvironment(...names);
  assert.deepEqual([TABLE_NAME, SETTINGS.totp.period, CLIENTS], ['records', 30, { 'key-1': 'web' }]);
});

test('every missing and malformed name is told at once, without any value', () => {
  process.env['CLIENTS'] = '{"secret-value":';
  delete process.env['TABLE_NAME'];
  process.env['SETTINGS'] = '{"unknown":"secret-value"}';
  assert.throws(
    () => readEnvironment(...names),
    (error: Error) => {
      assert.equal(
        error.message,
        'Environment: TABLE_NAME is missing, SETTINGS is malformed, CLIENTS is malformed.',
      );
      return true;
    },
  );
});

test('by default all are wanted', () => {
  assert.throws(
    () => readEnvironment(),
    /KEYRING_KEY_ARN is missing.*ISSUER is missing.*USER_POOL_ID is missing/,
  );
});
