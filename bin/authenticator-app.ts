import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';

/** An authenticator app with one account, made from the otpauth URI that a phone's camera would read. */
export interface AuthenticatorApp {
  /**
   * Returns an unused code, for the oldest step that is still accepted. Later steps are left for the next
   * calls, so that waiting is rare.
   *
   * @param onWait called with the seconds to wait, if every accepted step is used
   */
  nextCode(onWait: (seconds: number) => void): Promise<string>;
}

/** Reads the URI as authenticator apps do. The defaults are SHA-1, six digits and 30 seconds. */
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
      // Close to the end of a step, a code of the previous one would be two steps old on arrival.
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
