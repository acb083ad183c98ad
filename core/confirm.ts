import { attempt } from './attempt.ts';
import { newBackupCodes } from './backup-codes.ts';
import { type AfterChange, change } from './change.ts';
import type { Caller } from './claims.ts';
import { pendingOf, refuseUnlessFresh } from './enroll.ts';
import { CountersignError, unavailable } from './error.ts';
import { type Authenticator, isEnabled } from './factor.ts';
import type { Families, Services } from './ports.ts';
import { inForce, open, seal, waiting } from './sealed.ts';
import { readCurrent } from './session.ts';
import { matchingSteps } from './totp.ts';
import { authenticatorAdded } from './transitions.ts';

export type Confirmation = {
  authenticatorId: string;
  /** With the first authenticator only; shown once. */
  backupCodes?: string[];
} & AfterChange;

/**
 * Ends an enrollment: a code of the pending authenticator puts it in force and ends every other session.
 *
 * It proves the pending secret alone. So it forgives no failure of a factor in force, and a lock or a stop of that factor
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
  if (!pending) throw new CountersignError('enrollment_not_found');

  const backup = first ? newBackupCodes(user, await services.keyring.current('backup-code', now)) : undefined;
  const confirmed = async (): Promise<Authenticator | undefined> => {
    const { expiresAt: _, failures: __, ...enrolled } = pending;
    const dataKey = await services.keyring.key('data', pending.secret.keyId, now);
    const secret = dataKey && open(pending.secret, user, waiting(pending, factor), dataKey);
    if (!secret) throw unavailable();
    const step = matchingSteps(code, secret, pending, services.settings.totp.window, now).at(-1);
    if (step === undefined) return undefined;
    return {
      ...enrolled,
      // Resealed: a secret sealed as pending does not open in force.
      secret: seal(secret, user, inForce(enrolled), await services.keyring.current('data', now)),
      // The code that confirms is spent: it does not sign in.
      lastStep: step,
      createdAt: now,
      lastUsedAt: now,
    };
  };
  const method = 'totp';
  const { after } = await change(services, input, (context) => {
    const decide = async () => {
      const authenticator = await confirmed();
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
