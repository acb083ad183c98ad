import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { DataKey } from '../ports.ts';
import { random } from '../random.ts';
import { lengthPrefixed, type User } from '../user.ts';
import type { PendingTotp, Sealed, TotpParameters } from './data.ts';

/** The place a secret is sealed for: where it is stored, and what its codes mean there. */
export interface Place extends TotpParameters {
  authenticatorId: string;
  /** While it waits: until when, and in which generation of the factor. */
  pending: { expiresAt: number; generation: string } | undefined;
}

/** The place of an authenticator in force. */
export function inForce({ id, algorithm, digits, period }: { id: string } & TotpParameters): Place {
  return { authenticatorId: id, algorithm, digits, period, pending: undefined };
}

/**
 * The place of an enrollment that waits to be confirmed. Put in force, kept longer, or put back after a change of the second
 * factor, its secret does not open.
 */
export function waiting(
  { expiresAt, ...authenticator }: Pick<PendingTotp, 'id' | 'expiresAt'> & TotpParameters,
  { generation }: { generation: string },
): Place {
  return { ...inForce(authenticator), pending: { expiresAt, generation } };
}

const VERSION = 2;
const NONCE = 12;
const TAG = 16;

/**
 * Seals the secret of one user's one authenticator: AES-256-GCM under a key derived for exactly this place.
 */
export function seal(secret: Uint8Array, user: User, place: Place, dataKey: DataKey): Sealed {
  const bound = boundTo(user, place, dataKey.id);
  const nonce = random(NONCE);
  const cipher = createCipheriv('aes-256-gcm', derivedKey(dataKey, bound), nonce);
  cipher.setAAD(bound);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return {
    keyId: dataKey.id,
    box: Buffer.concat([Buffer.of(VERSION), nonce, ciphertext, cipher.getAuthTag()]),
  };
}

/**
 * The secret again, or undefined where the box was made for another place or was altered.
 */
export function open({ box }: Sealed, user: User, place: Place, dataKey: DataKey): Uint8Array | undefined {
  const bind = box[0] === VERSION ? boundTo : box[0] === 1 ? boundToByVersion1 : undefined;
  if (!bind || box.length <= 1 + NONCE + TAG) return undefined;
  try {
    const bound = bind(user, place, dataKey.id);
    const decipher = createDecipheriv('aes-256-gcm', derivedKey(dataKey, bound), box.subarray(1, 1 + NONCE), {
      authTagLength: TAG,
    });
    decipher.setAAD(bound);
    decipher.setAuthTag(box.subarray(-TAG));
    return Buffer.concat([decipher.update(box.subarray(1 + NONCE, -TAG)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Whether resealing would change what the box is bound to. */
export function isOutdated({ keyId, box }: Sealed, current: DataKey): boolean {
  return keyId !== current.id || box[0] !== VERSION;
}

/** Both the derivation and the associated data carry the place: a box moved elsewhere does not open. */
function boundTo(user: User, { authenticatorId, pending, ...parameters }: Place, keyId: string): Buffer {
  return lengthPrefixed(
    'countersign',
    'v2',
    'totp-secret',
    user.realm,
    user.sub,
    authenticatorId,
    keyId,
    parameters.algorithm,
    String(parameters.digits),
    String(parameters.period),
    ...(pending ? ['pending', String(pending.expiresAt), pending.generation] : ['in-force']),
  );
}

/**
 * The binding of secrets sealed in version 1, which are read but no longer made. It leaves out the parameters and whether the
 * secret is pending.
 */
function boundToByVersion1(user: User, { authenticatorId }: Place, keyId: string): Buffer {
  return lengthPrefixed('countersign', 'v1', 'totp-secret', user.realm, user.sub, authenticatorId, keyId);
}

function derivedKey({ key }: DataKey, place: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', place, 32)));
}
