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
  SUPPORT,
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
    client: CLIENT,
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

test('of two uses at once both give a pair, and both refresh tokens have the same place in the family', async () => {
  const deployment = createDeployment();
  const { refreshToken } = await session(deployment, 'alice', NOW);
  const pairs = await Promise.all([renew(deployment, refreshToken), renew(deployment, refreshToken)]);
  const [one, two] = pairs.map((pair) => decodeJwt(pair.refreshToken));
  assert.deepEqual([one?.['sequence'], two?.['sequence']], [1, 1]);
  assert.equal(one?.['family'], two?.['family']);
  assert.notEqual(one?.jti, two?.jti);
  // Used at once again, both go on again; used long after the other one, it is a replay.
  const [next, again] = await Promise.all(pairs.map((pair) => renew(deployment, pair.refreshToken)));
  await renew(deployment, next?.refreshToken ?? '', NOW + 300);
  const late = renew(deployment, again?.refreshToken ?? '', NOW + 306);
  await assert.rejects(late, refusal('refresh_token_invalid'));
});

test('the grace is as long as it is set to be, and a grace of 0 is none', async () => {
  for (const [refreshGrace, seconds, given] of [
    [undefined, 5, true],
    [undefined, 6, false],
    [60, 60, true],
    [60, 61, false],
    [0, 0, false],
  ] as const) {
    const deployment = createDeployment(refreshGrace === undefined ? {} : { lifetimes: { refreshGrace } });
    const { refreshToken } = await session(deployment, 'alice', NOW);
    const { refreshToken: successor } = await renew(deployment, refreshToken);
    const again = renew(deployment, refreshToken, NOW + seconds);
    if (given) await again;
    else await assert.rejects(again, refusal('refresh_token_invalid'));
    const after = renew(deployment, successor, NOW + seconds);
    if (given) await after;
    else await assert.rejects(after, refusal('refresh_token_invalid'), 'the family has ended');
  }
});

test('within the grace too a refresh token is for its own client, and another client does not use the grace up', async () => {
  const deployment = createDeployment();
  const { refreshToken } = await session(deployment, 'alice', NOW);
  await renew(deployment, refreshToken);
  await assert.rejects(renew(deployment, refreshToken, NOW, 'another'), refusal('refresh_token_invalid'));
  await renew(deployment, refreshToken);
});

test('within the grace a session that a change has ended is not refreshed', async () => {
  const deployment = createDeployment();
  const { refreshToken, caller } = await session(deployment, 'alice', NOW);
  await renew(deployment, refreshToken);
  await adminRevokeSessions(deployment, caller.user, { by: SUPPORT }, NOW);
  await assert.rejects(renew(deployment, refreshToken), refusal('refresh_token_invalid'));
});

test('another session of the same user goes on', async () => {
  const deployment = createDeployment();
  const [one, two] = [await session(deployment, 'alice', NOW), await session(deployment, 'alice', NOW)];
  await renew(deployment, one.refreshToken);
  await assert.rejects(renew(deployment, one.refreshToken, NOW + 6), refusal('refresh_token_invalid'));
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
  await adminRevokeSessions(deployment, caller.user, { by: SUPPORT }, NOW);
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
