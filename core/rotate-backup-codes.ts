import { attempt, changed } from './attempt.ts';
import { newBackupCodes } from './backup-codes.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { isEnabled } from './factor.ts';
import type { Services } from './ports.ts';
import { prove } from './proof.ts';
import {
  endPoolSessions,
  type PoolSessionsEnded,
  refuseUnlessCurrent,
  type Session,
  sessionAfterChange,
} from './session.ts';

export type Rotated = {
  /** Ten, shown once; every older code is dead. */
  backupCodes: string[];
} & Partial<Session> &
  PoolSessionsEnded;

/**
 * A new set of backup codes for a code of an authenticator: a backup code does not make backup codes.
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, and what `attempt` throws
 */
export async function rotateBackupCodes(
  services: Services,
  { caller, code, client, now }: { caller: Caller; code: string; client: string; now: number },
): Promise<Rotated> {
  const { user } = caller;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');
  const { codes, stored } = newBackupCodes(user, await services.keyring.current('backup-code', now));
  const judge = async () => {
    const proven = await prove(services, user, factor, { code }, now);
    return proven && changed({ ...proven, backupCodes: stored }, now, caller.session);
  };
  await services.tokens.ready(now);
  const rotated = await attempt(services, user, factor, 'code', judge, 'rotated', now);
  return {
    backupCodes: codes,
    ...(await endPoolSessions(services.poolSessions, user)),
    ...(await sessionAfterChange(services, caller, rotated, client, withSecondFactor(caller.amr), now)),
  };
}
