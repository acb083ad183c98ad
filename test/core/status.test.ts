import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, createDeployment, enrolled, NOW, session } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('somebody who never enrolled has nothing', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  assert.deepEqual(await status(deployment, caller), {
    enabled: false,
    authenticators: [],
    backupCodesRemaining: 0,
  });
});

test('the authenticators by id, name, creation and last use, and nothing else of them', async () => {
  const deployment = createDeployment();
  const { caller, app, authenticatorId } = await enrolled(deployment, 'alice', NOW - 300);
  await verify(deployment, { caller, proof: { code: app.codeAt(NOW) }, client: CLIENT, now: NOW });
  assert.deepEqual(await status(deployment, caller), {
    enabled: true,
    authenticators: [
      { kind: 'totp', id: authenticatorId, name: 'Phone', createdAt: NOW - 300, lastUsedAt: NOW },
    ],
    backupCodesRemaining: 10,
  });
});

test('a token of another generation is void', async () => {
  const deployment = createDeployment();
  const { caller } = await enrolled(deployment);
  for (const generation of ['', 'another']) {
    await assert.rejects(status(deployment, { ...caller, generation }), refusal('token_invalid'));
  }
});
