import { attemptProof } from './attempt.ts';
import { newBackupCodes } from './backup-codes.ts';
import { type AfterChange, change } from './change.ts';
import type { Caller } from './claims.ts';
import type { Services } from './ports.ts';
import { readEnrolled } from './session.ts';
import { backupCodesRotated } from './transitions.ts';

export type Rotated = {
  /** Ten, shown once; every older code is dead. */
  backupCodes: string[];
} & AfterChange;

/**
 * Makes a new set of backup codes for a code of an authenticator: a backup code does not make backup codes.
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, and what `attempt` throws
 */
export async function rotateBackupCodes(
  services: Services,
  input: { caller: Caller; code: string; client: string; now: number },
): Promise<Rotated> {
  const { caller, code, now } = input;
  const factor = await readEnrolled(services, caller);
  const { codes, stored } = newBackupCodes(caller.user, await services.keyring.current('backup-code', now));
  const { after } = await change(services, input, (context) =>
    attemptProof(
      services,
      caller.user,
      factor,
      { attempted: 'rotation', proof: { code } },
      (proven) => backupCodesRotated(proven, { backupCodes: stored, session: caller.session }, context),
      context,
    ),
  );
  return { backupCodes: codes, ...after };
}
