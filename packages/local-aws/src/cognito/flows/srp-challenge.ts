import { hkdfSync, randomBytes } from 'node:crypto';
import { invalidParameter } from '../errors.ts';
import { type ChallengeResult, newSessionId } from '../sessions.ts';
import { offer, type Verifier } from '../srp.ts';
import {
  type Answer,
  type Attempt,
  parameter,
  preAuthentication,
  type Subject,
  subjectNamed,
} from './attempt.ts';

/** A stand-in for the verifier of an unknown user, always the same for one name (RFC 5054 §2.5.1.3). */
function simulated({ pool }: Attempt, username: string): Verifier {
  const seed = pool.pseudonym('verifier', username);
  return {
    salt: pool.pseudonym('salt', username).subarray(0, 16).toString('hex'),
    verifier: Buffer.from(hkdfSync('sha256', seed, '', 'srp verifier', 380)).toString('hex'),
  };
}

/** The offset of the session's id in the secret block, for clients that answer without the session. */
const idOffset = 64;

/** Reads the session's id from a secret block. */
export function sessionInSecretBlock(secretBlock: string): string {
  return Buffer.from(secretBlock, 'base64').subarray(idOffset).toString('utf8');
}

/** Opens a PASSWORD_VERIFIER challenge. `custom` is the history if a custom sign-in asks for it. */
export function offerPassword(attempt: Attempt, subject: Subject, custom?: ChallengeResult[]): Answer {
  const kept = subject.user?.password ?? simulated(attempt, subject.username);
  const srp = offer(parameter(attempt, 'SRP_A'), kept.verifier);
  if (!srp) throw invalidParameter('Invalid SRP_A');
  const id = newSessionId();
  const secretBlock = Buffer.concat([randomBytes(idOffset), Buffer.from(id)]).toString('base64');
  attempt.pool.sessions.open(
    {
      clientId: attempt.client.id,
      username: subject.username,
      ...(subject.user ? { sub: subject.user.sub } : {}),
      step: {
        challenge: 'PASSWORD_VERIFIER',
        srp,
        verifier: kept.verifier,
        secretBlock,
        ...(custom ? { custom } : {}),
      },
    },
    attempt.client.sessionValidity,
    id,
  );
  return {
    ChallengeName: 'PASSWORD_VERIFIER',
    ChallengeParameters: {
      SALT: kept.salt,
      SECRET_BLOCK: secretBlock,
      SRP_B: srp.b,
      USERNAME: subject.username,
      USER_ID_FOR_SRP: subject.username,
    },
    Session: id,
  };
}

/** Starts USER_SRP_AUTH. An unknown user receives a challenge like any other. */
export async function startSrp(attempt: Attempt): Promise<Answer> {
  const subject = subjectNamed(attempt, parameter(attempt, 'USERNAME'));
  await preAuthentication(attempt, subject);
  return offerPassword(attempt, subject);
}
