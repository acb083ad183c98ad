import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logout } from '../../core/logout.ts';
import { refresh } from '../../core/refresh.ts';
import { CLIENT, createDeployment, NOW, session } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('saying it twice is no error, and an older token of the family ends it as well', async () => {
  const deployment = createDeployment();
  const { refreshToken: first } = await session(deployment, 'alice', NOW);
  const { refreshToken: second } = await refresh(deployment, {
    refreshToken: first,
    client: CLIENT,
    now: NOW,
  });
  for (let time = 0; time < 2; time++)
    await logout(deployment, { refreshToken: first, client: CLIENT, now: NOW });
  const renewed = refresh(deployment, { refreshToken: second, client: CLIENT, now: NOW });
  await assert.rejects(renewed, refusal('refresh_token_invalid'));
});

test('only a refresh token of this very client logs out', async () => {
  const deployment = createDeployment();
  const { accessToken, refreshToken } = await session(deployment, 'alice', NOW);
  for (const [token, client, now] of [
    [accessToken, CLIENT, NOW],
    [refreshToken, 'another', NOW],
    [refreshToken, CLIENT, NOW + 86_400],
    ['', CLIENT, NOW],
  ] as const) {
    await assert.rejects(
      logout(deployment, { refreshToken: token, client, now }),
      refusal('refresh_token_invalid'),
    );
  }
  await refresh(deployment, { refreshToken, client: CLIENT, now: NOW });
});
