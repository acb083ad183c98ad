import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { appIdOf, createPoolSessions, isOwnSignOut } from '../../adapters/pool-sessions.ts';
import { Settings } from '../../core/settings.ts';

const TABLE = 'CountersignData-Records0A1B2C3D-1EXAMPLE1TABLE';
const by = (appId: string) => `aws-sdk-js/3.1164.0 ua/2.1 os/linux lang/js md/nodejs#24.1.0 app/${appId}`;

test('only a sign-out that this deployment requested counts as its own', () => {
  const ours = { eventName: 'AdminUserGlobalSignOut', userAgent: by(appIdOf(TABLE)) };
  assert.equal(isOwnSignOut(ours, TABLE), true);
  assert.equal(isOwnSignOut({ ...ours, userAgent: by(appIdOf('another-table')) }, TABLE), false);
  assert.equal(isOwnSignOut({ ...ours, userAgent: undefined }, TABLE), false);
  assert.equal(isOwnSignOut({ ...ours, userAgent: `${by('x')}-app/${appIdOf(TABLE)}` }, TABLE), false);
  for (const eventName of ['AdminDisableUser', 'AdminDeleteUser', undefined]) {
    assert.equal(isOwnSignOut({ ...ours, eventName }, TABLE), false, eventName);
  }
});

test('the app id is short enough for the SDK to send it whole', () => {
  assert.ok(appIdOf('t'.repeat(255)).length <= 50);
});

test('a user of another realm has no sessions at the pool, and none is reported as ended', async () => {
  const SETTINGS = v.parse(Settings, { globalSignOut: true });
  const poolSessions = createPoolSessions({ SETTINGS, TABLE_NAME: TABLE })?.('eu-west-1_aBcDeFgHi');
  assert.equal(await poolSessions?.end({ realm: 'partners', sub: 'sub-of-alice' }), false);
});
