import { attempt } from './attempt.ts';
import { newBackupCodes } from './backup-codes.ts';
import { type AfterChange, change } from './change.ts';
import type { Caller } from './claims.ts';
import { pendingOf, refuseUnlessFresh } from './enroll.ts';
import { CountersignError } from './error.ts';
import { isEnabled } from './factor.ts';
import type { Families, Services } from './ports.ts';
import { readCurrent } from './session.ts';
import { totp } from './totp/kind.ts';
import { authenticatorAdded } from './transitions.ts';

export type Confirmation = {
  authenticatorId: string;
  /** With the first authenticator only; shown once. */
  backupCodes?: string[];
} & AfterChange;

/**
 * Ends an enrollment: a code of the pending authenticator puts it in force and ends every other session.
 *
 * It proves the pending authenticator alone. So it forgives no failure of a factor in force, and a lock or a stop of that factor
 * does not refuse it. The fifth wrong code ends the enrollment.
 *
 * @throws CountersignError `token_invalid`, `recent_sign_in_required`, `insufficient_scope`, `enrollment_not_found`, and
 * what `attempt` throws
 */
export async function confirm(
  services: Services & { families: Families },
  input: { caller: Caller; authenticatorId: string; code: string; client: string; now: number },
): Promise<Confirmation> {
  const { caller, authenticatorId, code, now } = input;
  const { user } = caller;
  const factor = await readCurrent(services, caller);
  const first = !isEnabled(factor);
  if (first) await refuseUnlessFresh(services, caller, now);
  const pending = pendingOf(factor, authenticatorId, now);
  if (pending?.kind !== 'totp') throw new CountersignError('enrollment_not_found');

  const backup = first ? newBackupCodes(user, await services.keyring.current('backup-code', now)) : undefined;
  const method = 'totp';
  const { after } = await change(services, input, (context) => {
    const decide = async () => {
      const { generation } = factor;
      const authenticator = await totp.confirm(services, user, pending, code, { generation, now });
      const more = { backupCodes: backup?.stored, method, session: caller.session } as const;
      return authenticator && authenticatorAdded(factor, authenticator, more, context);
    };
    return attempt(
      services,
      user,
      factor,
      { attempted: 'confirmation', method, budget: 'pending', decide },
      context,
    );
  });
  return { authenticatorId, ...(backup && { backupCodes: backup.codes }), ...after };
}
