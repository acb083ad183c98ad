import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import { unavailable } from '../../core/error.ts';
import { refresh } from '../../core/refresh.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import { scan } from '../support/authenticator-app.ts';
import {
  CLIENT,
  challenge,
  createDeployment,
  type Deployment,
  NOW,
  PASSWORD,
  session,
} from '../support/deployment.ts';
import { pathNames, paths, withTwoApps } from '../support/paths.ts';
import { refusal } from '../support/refusal.ts';

// Each of these writes first and signs after: what was spent would be lost if signing failed then.

const unable = () => Promise.reject(unavailable());

/** The same, while the signing key cannot be had: KMS is down. */
function withoutSigning(deployment: Deployment): Deployment {
  return { ...deployment, tokens: { ...deployment.tokens, ready: unable, sign: unable } };
}

for (const path of pathNames.filter((name) => name !== 'enroll' && name !== 'verify-login')) {
  test(`while no token can be signed, ${path} refuses and spends nothing`, async () => {
    const [deployment, person] = await withTwoApps();
    const before = await deployment.records.read(person.caller.user);
    const proof = { code: person.app.codeAt(NOW) };
    const refused = paths[path](withoutSigning(deployment), person, proof, NOW);
    await assert.rejects(refused, refusal('temporarily_unavailable'));
    assert.deepEqual(await deployment.records.read(person.caller.user), before);
  });
}

test('while no token can be signed, refreshing refuses and the session goes on after', async () => {
  // Without a grace, which would give a spent token another pair.
  const deployment = createDeployment({ lifetimes: { refreshGrace: 0 } });
  const { refreshToken } = await session(deployment, 'alice', NOW);
  const refused = refresh(withoutSigning(deployment), { refreshToken, client: CLIENT, now: NOW });
  await assert.rejects(refused, refusal('temporarily_unavailable'));
  await refresh(deployment, { refreshToken, client: CLIENT, now: NOW });
});

test('while no token can be signed, answering a challenge refuses and spends nothing', async () => {
  const [deployment, { app, caller }] = await withTwoApps();
  const challengeToken = await challenge(deployment, 'alice', NOW);
  const before = await deployment.records.read(caller.user);
  const input = { challengeToken, proof: { code: app.codeAt(NOW) }, client: CLIENT, now: NOW };
  const refused = verifyLogin(withoutSigning(deployment), input);
  await assert.rejects(refused, refusal('temporarily_unavailable'));
  assert.deepEqual(await deployment.records.read(caller.user), before);
});

test('while no token can be signed, confirming refuses and loses no backup codes', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const enrollment = {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  };
  const { authenticatorId, otpauthUri } = await enroll(deployment, enrollment);
  const code = scan(otpauthUri).codeAt(NOW);
  const refused = confirm(withoutSigning(deployment), {
    caller,
    authenticatorId,
    code,
    client: CLIENT,
    now: NOW,
  });
  await assert.rejects(refused, refusal('temporarily_unavailable'));
  assert.equal((await deployment.records.read(caller.user)).authenticators.length, 0);
});
