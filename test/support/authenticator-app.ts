import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

export interface AuthenticatorApp {
  /** Returns the code shown at that time, in seconds since the epoch. */
  codeAt(seconds: number): string;
  /** Returns a well-formed code that is not shown within ten steps of that time. */
  wrongCodeAt(seconds: number): string;
}

/**
 * Returns an authenticator app that has scanned this URI. It is written from the RFCs alone, to check the
 * service.
 */
export function scan(otpauthUri: string): AuthenticatorApp {
  const { protocol, host, searchParams } = new URL(otpauthUri);
  assert.equal(`${protocol}//${host}`, 'otpauth://totp');
  const parameter = (name: string) => searchParams.get(name) ?? assert.fail(`${name} is missing`);
  const secret = base32(parameter('secret'));
  const digits = Number(parameter('digits'));
  const period = Number(parameter('period'));
  const codeOf = (step: number) => hotp(parameter('algorithm'), secret, step, digits);
  return {
    codeAt: (seconds) => codeOf(Math.floor(seconds / period)),
    wrongCodeAt(seconds) {
      const now = Math.floor(seconds / period);
      const near = new Set(Array.from({ length: 21 }, (_, index) => codeOf(now - 10 + index)));
      for (let candidate = 0; ; candidate++) {
        const code = String(candidate).padStart(digits, '0');
        if (!near.has(code)) return code;
      }
    },
  };
}

/** RFC 4226 §5.3. */
function hotp(algorithm: string, secret: Buffer, counter: number, digits: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac(algorithm, secret).update(message).digest();
  const offset = digest.readUInt8(digest.length - 1) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** RFC 4648 §6, without padding. */
function base32(text: string): Buffer {
  assert.match(text, /^[A-Z2-7]+$/);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
