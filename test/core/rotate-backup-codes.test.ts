import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { status } from '../../core/status.ts';
import { typedCode } from '../../core/typed-code.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, callerOf, createDeployment, enrolled, NOW } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('ten new codes; every older one is dead; every other session has ended', async () => {
  const deployment = createDeployment();
  const { caller, app, backupCodes: old } = await enrolled(deployment);
  const rotated = await rotateBackupCodes(deployment, {
    caller,
    code: app.codeAt(NOW),
    client: CLIENT,
    now: NOW,
  });
  assert.equal(new Set([...rotated.backupCodes.map(typedCode), ...old]).size, 20);
  await assert.rejects(status(deployment, caller), refusal('token_invalid'));

  const fresh = await callerOf(deployment, rotated.accessToken, NOW);
  const use = (backupCode = '') =>
    verify(deployment, { caller: fresh, proof: { backupCode }, client: CLIENT, now: NOW });
  await assert.rejects(use(old[0]), refusal('code_rejected'));
  await use(typedCode(rotated.backupCodes[0] ?? ''));
  assert.equal((await status(deployment, fresh)).backupCodesRemaining, 9);
});

test('a wrong code rotates nothing and is charged', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const { backupCodes } = await deployment.records.read(caller.user);
  const input = { caller, code: app.wrongCodeAt(NOW), client: CLIENT, now: NOW };
  await assert.rejects(rotateBackupCodes(deployment, input), refusal('code_rejected'));
  const after = await deployment.records.read(caller.user);
  assert.deepEqual([after.backupCodes?.set, after.failures], [backupCodes?.set, 1]);
});

test('a rotation racing the use of an old code: the code dies or was used before, never both', async () => {
  for (const useFirst of [true, false]) {
    const deployment = createDeployment();
    const { caller, app, backupCodes } = await enrolled(deployment);
    const proof = { backupCode: backupCodes[0] ?? '' };
    const use = () => verify(deployment, { caller, proof, client: CLIENT, now: NOW });
    const rotate = () =>
      rotateBackupCodes(deployment, { caller, code: app.codeAt(NOW), client: CLIENT, now: NOW });
    const outcomes = await Promise.allSettled(useFirst ? [use(), rotate()] : [rotate(), use()]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  }
});

test('the digests are made under the current key', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const { id } = deployment.keyring.rotate('backup-code');
  await rotateBackupCodes(deployment, { caller, code: app.codeAt(NOW), client: CLIENT, now: NOW });
  assert.equal((await deployment.records.read(caller.user)).backupCodes?.keyId, id);
});
