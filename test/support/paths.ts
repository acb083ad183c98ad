import type { Caller } from '../../core/claims.ts';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import type { Proof } from '../../core/proof.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { verify } from '../../core/verify.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import {
  addAuthenticator,
  CLIENT,
  callerOf,
  challenge,
  createDeployment,
  type Deployment,
  enrolled,
  NOW,
  type Person,
} from './deployment.ts';

/** A user with a second authenticator, `spare`, that can be removed. */
export interface TwoApps extends Person {
  spareId: string;
}

export const pathNames = ['verify-login', 'verify', 'enroll', 'disable', 'rotate-backup-codes'] as const;
type PathName = (typeof pathNames)[number];

/** Every path that takes a code for an enabled factor. Each returns the caller for the next call. */
export const paths: Record<
  PathName,
  (d: Deployment, p: TwoApps, proof: Proof, now: number) => Promise<Caller>
> = {
  'verify-login': async (d, { name }, proof, now) => {
    const challengeToken = await challenge(d, name, now);
    const { accessToken } = await verifyLogin(d, { challengeToken, proof, client: CLIENT, now });
    return callerOf(d, accessToken, now);
  },
  verify: async (d, { caller }, proof, now) => {
    const { accessToken } = await verify(d, { caller, proof, client: CLIENT, now });
    return callerOf(d, accessToken, now);
  },
  enroll: async (d, { caller }, proof, now) => {
    await enroll(d, { caller, name: 'Third', proof, client: CLIENT, now });
    return caller;
  },
  disable: async (d, { caller, spareId }, proof, now) => {
    const { accessToken } = await disable(d, {
      caller,
      proof,
      authenticatorId: spareId,
      client: CLIENT,
      now,
    });
    return callerOf(d, accessToken, now);
  },
  'rotate-backup-codes': async (d, { caller }, proof, now) => {
    const code = 'code' in proof ? proof.code : '';
    const { accessToken } = await rotateBackupCodes(d, { caller, code, client: CLIENT, now });
    return callerOf(d, accessToken, now);
  },
};

export async function withTwoApps(deployment = createDeployment()): Promise<[Deployment, TwoApps]> {
  const person = await enrolled(deployment);
  const code = person.app.codeAt(NOW - 200);
  const spare = await addAuthenticator(deployment, person.caller, { code }, NOW - 200, 'Spare');
  return [deployment, { ...person, caller: spare.caller, spareId: spare.authenticatorId }];
}
