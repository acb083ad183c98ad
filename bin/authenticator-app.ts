import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';

/** A phone with one account on it, made from the otpauth URI that its camera would read. */
export interface AuthenticatorApp {
  /**
   * A code that has not been used, for the oldest step that is still accepted: those kept back are there for the next
   * calls, so that waiting is rare.
   *
   * @param onWait called with the seconds when there is no way but to wait for the next step
   */
  nextCode(onWait: (seconds: number) => void): Promise<string>;
}

/** Reads the URI as authenticator apps do: what it leaves out is SHA-1, six digits, 30 seconds. */
export function addAccount(otpauthUri: string): AuthenticatorApp {
  const { searchParams } = new URL(otpauthUri);
  const period = Number(searchParams.get('period') ?? 30);
  const options = {
    secret: searchParams.get('secret') ?? '',
    algorithm: (searchParams.get('algorithm') ?? 'SHA1').toLowerCase() as 'sha1' | 'sha256' | 'sha512',
    digits: Number(searchParams.get('digits') ?? 6) as 6 | 8,
    period,
  };
  let last = 0;
  return {
    async nextCode(onWait) {
      const now = Date.now() / 1000;
      // Close to the end of a step, the one before would be two steps old on arrival.
      const oldest = Math.floor((now + 3) / period) - 1;
      const step = Math.max(oldest, last + 1);
      const wait = (step - 1) * period - now;
      if (wait > 0) {
        onWait(Math.ceil(wait));
        await sleep(wait * 1000 + 100);
      }
      last = step;
      return generateSync({ ...options, epoch: step * period });
    },
  };
}
