import {
  createHash,
  createHmac,
  getDiffieHellman,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/**
 * SRP-6a (RFC 5054 §2.5) as Cognito speaks it: the 3072-bit group with generator 2 (RFC 3526 §4), SHA-256, numbers
 * hashed as two's-complement bytes, and a session key of 16 bytes by HKDF under the info "Caldera Derived Key".
 */
const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const g = 2n;
const k = hashOf(bytes(N), bytes(g));

/** The server's record of a password, in hexadecimal. The password does not follow from it. */
export interface Verifier {
  salt: string;
  verifier: string;
}

/** The server's side of one exchange, kept until the client's proof comes. */
export interface SrpOffer {
  /** SRP_A, SRP_B and the server's own secret, hexadecimal. */
  a: string;
  b: string;
  secret: string;
}

/** Raises by squaring from the highest bit down, which keeps the factor small if the base is small. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % N;
    if (bit === '1') result = (result * base) % N;
  }
  return result;
}

function bytes(value: bigint): Buffer {
  const digits = value.toString(16);
  const even = digits.length % 2 ? `0${digits}` : digits;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

function hashOf(...parts: Buffer[]): bigint {
  return BigInt(`0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`);
}

const number = (hexadecimal: string) => BigInt(`0x${hexadecimal}`);

/** Makes the verifier of a password. `poolName` is the part of the pool's id after the underscore. */
export function makeVerifier(poolName: string, username: string, password: string, salt?: string): Verifier {
  const chosen = salt ?? randomBytes(16).toString('hex');
  const identity = createHash('sha256').update(`${poolName}${username}:${password}`).digest();
  const x = hashOf(bytes(number(chosen)), identity);
  return { salt: chosen, verifier: power(g, x).toString(16) };
}

/** Whether the verifier is of this password. Takes constant time over the verifier. */
export function matches(kept: Verifier, poolName: string, username: string, password: string): boolean {
  const given = makeVerifier(poolName, username, password, kept.salt).verifier;
  return timingSafeEqual(
    createHash('sha256').update(given).digest(),
    createHash('sha256').update(kept.verifier).digest(),
  );
}

/** Answers SRP_A with SRP_B = kv + g^b; undefined if A is not a number or A mod N is zero (RFC 5054 §2.5.4). */
export function offer(srpA: string, verifier: string): SrpOffer | undefined {
  if (!/^[0-9a-f]+$/i.test(srpA) || srpA.length > 1024 || number(srpA) % N === 0n) return undefined;
  const secret = BigInt(`0x${randomBytes(32).toString('hex')}`);
  const b = (k * number(verifier) + power(g, secret)) % N;
  return { a: srpA, b: b.toString(16), secret: secret.toString(16) };
}

/** The proof a client must send if it knows the password: HMAC-SHA-256 of pool, user, secret block and timestamp. */
export function expectedSignature(
  exchange: SrpOffer,
  verifier: string,
  claim: { poolName: string; username: string; secretBlock: string; timestamp: string },
): Buffer {
  const a = number(exchange.a);
  const u = hashOf(bytes(a), bytes(number(exchange.b)));
  const shared = power((a * power(number(verifier), u)) % N, number(exchange.secret));
  const key = hkdfSync('sha256', bytes(shared), bytes(u), 'Caldera Derived Key', 16);
  return createHmac('sha256', Buffer.from(key))
    .update(claim.poolName + claim.username)
    .update(Buffer.from(claim.secretBlock, 'base64'))
    .update(claim.timestamp)
    .digest();
}
