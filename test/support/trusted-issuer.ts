import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { SignJWT } from 'jose';

/**
 * How the issuer serves its key set: correctly, not at all, with an error, as nonsense, as no key set, or
 * elsewhere.
 */
export type JwksMode = 'keys' | 'hang' | 'error' | 'nonsense' | 'no key set' | 'moved';

/** Starts a third-party issuer for one test file. It serves its key set on loopback. */
export async function startTrustedIssuer(realm = 'partners') {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'theirs', use: 'sig' }] };
  let mode: JwksMode = 'keys';
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    const answers: Record<JwksMode, [status: number, body: string] | undefined> = {
      keys: [200, JSON.stringify(jwks)],
      hang: undefined,
      error: [500, '{}'],
      nonsense: [200, '<html>'],
      'no key set': [200, '{"keys":"none"}'],
      moved: [302, ''],
    };
    const answer = answers[mode];
    if (!answer) return;
    response.writeHead(answer[0], { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(answer[1]);
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const issuer = `https://${realm}.example`;
  /**
   * Returns a token for a sign-in at this time, in seconds since the epoch. `claims` overrides its claims.
   */
  const token = (sub: string, now: number, claims: object = {}, kid = 'theirs', key = privateKey) =>
    new SignJWT({
      iss: issuer,
      aud: 'countersign',
      sub,
      auth_time: now,
      iat: now,
      exp: now + 3600,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(key);
  return {
    /** An entry of `trustedIssuers`. */
    trusted: {
      realm,
      issuer,
      jwksUri: `http://127.0.0.1:${port}/jwks.json`,
      audience: ['countersign'],
    },
    token,
    /** Returns a token signed with a key that is not the issuer's. */
    forged: (sub: string, now: number, kid = 'theirs') => token(sub, now, {}, kid, stranger.privateKey),
    /** Changes how the issuer serves its key set. */
    answer(next: JwksMode) {
      mode = next;
    },
    /** Returns how often the key set was requested. */
    asked: () => asked,
  };
}
