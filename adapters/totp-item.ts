import { unavailable } from '../core/error.ts';
import type { Totp, TotpParameters, TotpSecret } from '../core/totp/data.ts';
import { type Item, number, readBinary, readNumber, readText, text } from './attributes.ts';

/** Returns the attributes that only an authenticator app in force has. */
export function totpItem(totp: Pick<Totp, keyof TotpSecret | 'lastStep'>): Item {
  return { ...pendingTotpItem(totp), s: number(totp.lastStep) };
}

export function readTotp(item: Item): TotpSecret & Pick<Totp, 'lastStep'> {
  return { ...readPendingTotp(item), lastStep: readNumber(item['s']) };
}

export function pendingTotpItem({ secret, algorithm, digits, period }: TotpSecret): Item {
  return { k: text(secret.keyId), b: { B: secret.box }, t: text(`${algorithm}/${digits}/${period}`) };
}

export function readPendingTotp(item: Item): TotpSecret {
  return {
    kind: 'totp',
    secret: { keyId: readText(item['k']), box: readBinary(item['b']) },
    ...readParameters(readText(item['t'])),
  };
}

function readParameters(text: string): TotpParameters {
  const [, algorithm, digits, period] = /^(SHA1|SHA256|SHA512)\/([68])\/([1-9]\d{0,3})$/.exec(text) ?? [];
  if (!algorithm) throw unavailable();
  return {
    algorithm: algorithm as TotpParameters['algorithm'],
    digits: digits === '8' ? 8 : 6,
    period: Number(period),
  };
}
