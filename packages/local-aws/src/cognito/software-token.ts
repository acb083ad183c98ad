import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { User } from './users.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret of 160 bits: hexadecimal as it is kept, base32 as AssociateSoftwareToken shows it. */
export function newSecret(): { secret: string; secretCode: string } {
  const bytes = randomBytes(20);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return {
    secret: bytes.toString('hex'),
    secretCode: groups.map((group) => alphabet[Number.parseInt(group, 2)]).join(''),
  };
}

/** TOTP (RFC 6238) with SHA-1, six digits and 30 s. */
function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', Buffer.from(secret, 'hex')).update(counter).digest();
  const offset = (digest[19] ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Whether this is the user's code now or one step to either side, not used before; keeps the step, unsaved. */
export function acceptCode(user: User, code: string, seconds: number): boolean {
  const token = user.softwareToken;
  if (!token || !/^\d{6}$/.test(code)) return false;
  const now = Math.floor(seconds / 30);
  const step = [now - 1, now, now + 1].find(
    (candidate) =>
      candidate > token.lastStep &&
      timingSafeEqual(Buffer.from(codeAt(token.secret, candidate)), Buffer.from(code)),
  );
  if (step === undefined) return false;
  token.lastStep = step;
  return true;
}
