import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { adminRevokeSessions } from '../../core/admin.ts';
import { enroll } from '../../core/enroll.ts';
import { logout } from '../../core/logout.ts';
import { refresh } from '../../core/refresh.ts';
import {
  addAuthenticator,
  CLIENT,
  callerOf,
  createDeployment,
  type Deployment,
  NOW,
  PASSWORD,
  session,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

const renew = (d: Deployment, refreshToken: string, now = NOW, client = CLIENT) =>
  refresh(d, { refreshToken, client, now });

test('a refresh token gives the next pair; nothing of it renews the sign-in or the end', async () => {
  const deployment = createDeployment();
  const first = await session(deployment, 'alice', NOW);
  const next = await renew(deployment, first.refreshToken, NOW + 3000);
  const access = decodeJwt(next.accessToken);
  assert.deepEqual([access['auth_time'], access['amr'], access.exp], [NOW, ['pwd'], NOW + 3300]);
  assert.equal(access['sid'], first.caller.sid);
  assert.equal(decodeJwt(next.refreshToken).exp, NOW + 86_400);
  const caller = await callerOf(deployment, next.accessToken, NOW + 3000);
  const late = enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    now: NOW + 3000,
  });
  await assert.rejects(late, refusal('recent_sign_in_required'));
});

test('a replayed refresh token ends the family, the newest token too', async () => {
  const deployment = createDeployment();
  const { refreshToken: first } = await session(deployment, 'alice', NOW);
  const { refreshToken: second } = await renew(deployment, first);
  const { refreshToken: third } = await renew(deployment, second);
  for (const token of [first, third, second]) {
    await assert.rejects(renew(deployment, token), refusal('refresh_token_invalid'));
  }
});

test('of two uses at once one is too many: the family ends', async () => {
  const deployment = createDeployment();
  const { refreshToken } = await session(deployment, 'alice', NOW);
  const [one, two] = await Promise.allSettled([
    renew(deployment, refreshToken),
    renew(deployment, refreshToken),
  ]);
  assert.deepEqual([one.status, two.status].toSorted(), ['fulfilled', 'rejected']);
  const won = one.status === 'fulfilled' ? one : two;
  assert.ok(won.status === 'fulfilled');
  await assert.rejects(renew(deployment, won.value.refreshToken), refusal('refresh_token_invalid'));
});

test('another session of the same user goes on', async () => {
  const deployment = createDeployment();
  const [one, two] = [await session(deployment, 'alice', NOW), await session(deployment, 'alice', NOW)];
  await renew(deployment, one.refreshToken);
  await assert.rejects(renew(deployment, one.refreshToken), refusal('refresh_token_invalid'));
  await renew(deployment, two.refreshToken);
});

test("a refresh token is bound to its client's key, and trying another does not spend it", async () => {
  const deployment = createDeployment();
  const { refreshToken } = await session(deployment, 'alice', NOW);
  await assert.rejects(renew(deployment, refreshToken, NOW, 'another'), refusal('refresh_token_invalid'));
  await renew(deployment, refreshToken);
});

test('a family ends a day after its sign-in, whatever was refreshed between', async () => {
  const deployment = createDeployment();
  let { refreshToken } = await session(deployment, 'alice', NOW);
  ({ refreshToken } = await renew(deployment, refreshToken, NOW + 86_399));
  await assert.rejects(renew(deployment, refreshToken, NOW + 86_400), refusal('refresh_token_invalid'));
});

test('after the second factor is switched on, a session from before it is not refreshed', async () => {
  const deployment = createDeployment();
  const [other, own] = [await session(deployment, 'alice', NOW), await session(deployment, 'alice', NOW)];
  // The very second of the change: no clock decides.
  await addAuthenticator(deployment, own.caller, undefined, NOW);
  for (const { refreshToken } of [other, own]) {
    await assert.rejects(renew(deployment, refreshToken), refusal('refresh_token_invalid'));
  }
});

test('after the sessions are revoked nothing is refreshed', async () => {
  const deployment = createDeployment();
  const { refreshToken, caller } = await session(deployment, 'alice', NOW);
  await adminRevokeSessions(deployment, caller.user, NOW);
  await assert.rejects(renew(deployment, refreshToken), refusal('refresh_token_invalid'));
});

test('after logout nothing is refreshed, used before or not', async () => {
  const deployment = createDeployment();
  const unused = await session(deployment, 'alice', NOW);
  const used = await renew(deployment, (await session(deployment, 'alice', NOW)).refreshToken);
  for (const { refreshToken } of [unused, used]) {
    await logout(deployment, { refreshToken, client: CLIENT, now: NOW });
    await assert.rejects(renew(deployment, refreshToken), refusal('refresh_token_invalid'));
  }
});
