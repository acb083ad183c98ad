import { CountersignError } from './error.ts';
import type { Families, Tokens } from './ports.ts';

/**
 * Ends the session of this refresh token, used or not. Saying it twice is no error.
 *
 * @throws CountersignError `refresh_token_invalid`, `temporarily_unavailable`
 */
export async function logout(
  services: { families: Families; tokens: Pick<Tokens, 'verify'> },
  { refreshToken, client, now }: { refreshToken: string; client: string; now: number },
): Promise<void> {
  const claims = await services.tokens.verify('refresh', refreshToken, now);
  if (!claims || claims.client_id !== client) throw new CountersignError('refresh_token_invalid');
  await services.families.end(claims.family, claims.exp);
}
