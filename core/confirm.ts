import { attempt, changed, withoutFailures } from './attempt.ts';
import { newBackupCodes } from './backup-codes.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { pendingOf, refuseUnlessFresh } from './enroll.ts';
import { CountersignError, unavailable } from './error.ts';
import { type Authenticator, type Factor, isEnabled } from './factor.ts';
import type { Families, Services } from './ports.ts';
import { inForce, open, seal, waiting } from './sealed.ts';
import {
  endPoolSessions,
  type PoolSessionsEnded,
  refuseUnlessCurrent,
  type Session,
  sessionAfterChange,
} from './session.ts';
import { matchingSteps } from './totp.ts';

export type Confirmation = {
  authenticatorId: string;
  /** With the first authenticator only; shown once. */
  backupCodes?: string[];
} & Partial<Session> &
  PoolSessionsEnded;

/**
 * Ends an enrollment: a code of the pending authenticator puts it in force and ends every other session.
 *
 * It proves the pending secret alone. So it forgives no failure of a factor in force, and is heard through a lock or a stop
 * of that factor; the fifth wrong code ends the enrollment.
 *
 * @throws CountersignError `token_invalid`, `recent_sign_in_required`, `insufficient_scope`, `enrollment_not_found`, and
 * what `attempt` throws
 */
export async function confirm(
  services: Services & { families: Families },
  input: { caller: Caller; authenticatorId: string; code: string; client: string; now: number },
): Promise<Confirmation> {
  const { caller, authenticatorId, code, client, now } = input;
  const { user } = caller;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  const first = !isEnabled(factor);
  if (first) await refuseUnlessFresh(services, caller, now);
  const pending = pendingOf(factor, authenticatorId, now);
  if (!pending) throw new CountersignError('enrollment_not_found');

  const backup = first ? newBackupCodes(user, await services.keyring.current('backup-code', now)) : undefined;
  const judge = async (): Promise<Factor | undefined> => {
    const { expiresAt: _, failures: __, ...enrolled } = pending;
    const dataKey = await services.keyring.key('data', pending.secret.keyId, now);
    const secret = dataKey && open(pending.secret, user, waiting(pending, factor), dataKey);
    if (!secret) throw unavailable();
    const step = matchingSteps(code, secret, pending, services.settings.totp.window, now).at(-1);
    if (step === undefined) return undefined;
    // The code that confirms is spent: it does not sign in.
    const authenticator: Authenticator = {
      ...enrolled,
      // Resealed: a secret sealed as pending does not open in force.
      secret: seal(secret, user, inForce(enrolled), await services.keyring.current('data', now)),
      lastStep: step,
      createdAt: now,
      lastUsedAt: now,
    };
    const grown: Factor = {
      ...factor,
      authenticators: [...factor.authenticators, authenticator],
      backupCodes: backup ? backup.stored : factor.backupCodes,
      // The enrollment that a ticket, or a new password, was wanted for is done.
      reset: undefined,
    };
    return changed(first ? withoutFailures(grown) : grown, now, caller.session);
  };
  await services.tokens.ready(now);
  const confirmed = await attempt(services, user, factor, 'pending', judge, 'confirmed', now);
  return {
    authenticatorId,
    ...(backup && { backupCodes: backup.codes }),
    ...(await endPoolSessions(services.poolSessions, user)),
    ...(await sessionAfterChange(services, caller, confirmed, client, withSecondFactor(caller.amr), now)),
  };
}
