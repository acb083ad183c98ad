import { assertProblem, type clientOf } from './client.ts';

export type Kind = 'access' | 'challenge' | 'refresh';

/**
 * Returns, for each kind of token, a check that every place refuses the token with the right error. It sends
 * the code to places that require one.
 */
export function placesOf(
  client: ReturnType<typeof clientOf>,
): Record<Kind, (token: string, code: string) => Promise<void>> {
  return {
    async access(token, code) {
      assertProblem(await client.get('/v1/authenticators', token), 401, 'token_invalid');
      for (const path of [
        '/v1/authenticators/verify',
        '/v1/totp/enroll',
        '/v1/authenticators/disable',
        '/v1/backup-codes/rotate',
      ]) {
        assertProblem(await client.post(path, { code }, token), 401, 'token_invalid');
      }
      const confirming = { authenticatorId: 'abcdefghijklmnop', code };
      assertProblem(await client.post('/v1/totp/confirm', confirming, token), 401, 'token_invalid');
    },
    async challenge(token, code) {
      assertProblem(
        await client.post('/v1/auth/verify', { challengeToken: token, code }),
        401,
        'challenge_invalid',
      );
    },
    async refresh(token) {
      assertProblem(
        await client.post('/v1/auth/refresh', { refreshToken: token }),
        401,
        'refresh_token_invalid',
      );
      const logout = await client.post('/v1/auth/logout', { refreshToken: token });
      assertProblem(logout, 401, 'refresh_token_invalid');
    },
  };
}
