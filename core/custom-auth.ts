import { answerChallenge } from './challenge.ts';
import { afterPassword } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import { byUser } from './events.ts';
import { backupCodesRemaining, type Factor, isEnabled } from './factor.ts';
import type { Records, Services } from './ports.ts';
import { isRandomId, randomId } from './random.ts';
import { BACKUP_CODE, CODE, LONGEST_TYPED, typedCode, typedRecoveryCode } from './typed-code.ts';
import type { User } from './user.ts';

/** One step of a Cognito sign-in that is over: `request.session` of the trigger events. */
export interface Step {
  challengeName: string;
  challengeResult: boolean;
}

export type NextStep = 'PASSWORD_VERIFIER' | 'CUSTOM_CHALLENGE' | 'tokens' | 'refuse';

/** Wrong answers that end one sign-in. The record's own budget counts on over all of them. */
const ANSWERS = 3;

/** The longest a session of a sign-in lives (AuthSessionValidity: 15 minutes at most). */
const ANSWERED_FOR = 900;

/**
 * Decides the next step by the exact history: the password by SRP, then the second factor, or the ticket after a reset. Any
 * other history is refused: a sign-in that starts without the password would make a code the only factor.
 *
 * An unknown user, played through by Cognito, gets the same steps: the password is never right.
 */
export async function defineNextStep(
  { records }: { records: Records },
  user: User | undefined,
  session: Step[],
): Promise<NextStep> {
  const [srp, password, ...answers] = session;
  if (!succeeded(srp, 'SRP_A')) return 'refuse';
  if (!password) return 'PASSWORD_VERIFIER';
  if (!user || !succeeded(password, 'PASSWORD_VERIFIER')) return 'refuse';
  if (answers.some(({ challengeName }) => challengeName !== 'CUSTOM_CHALLENGE')) return 'refuse';

  const last = answers.at(-1);
  if (!last) return stepAfterPassword(await records.read(user));
  if (answers.length > ANSWERS) return 'refuse';
  if (answers.slice(0, -1).some(({ challengeResult }) => challengeResult !== false)) return 'refuse';
  if (succeeded(last, 'CUSTOM_CHALLENGE')) return 'tokens';
  return answers.length < ANSWERS ? 'CUSTOM_CHALLENGE' : 'refuse';
}

function stepAfterPassword(factor: Factor): NextStep {
  switch (afterPassword(factor)) {
    case 'session':
      return 'tokens';
    case 'new_password':
      return 'refuse';
    case 'second_factor':
    case 'enrollment_ticket':
      return 'CUSTOM_CHALLENGE';
  }
}

/** The part of a challenge that only the triggers see. */
export interface PrivateParameters {
  /** That the password came first. */
  passwordProved: 'true';
  /** The factor's generation when the challenge was made. */
  generation: string;
  challenge: string;
}

export interface Challenge {
  /** Shown to the client: how it may be answered, and nothing else. */
  methods: string;
  hidden: PrivateParameters;
}

/** A challenge for somebody whose password was right; undefined for any other history. */
export async function createChallenge(
  { records }: { records: Records },
  user: User | undefined,
  session: Step[],
): Promise<Challenge | undefined> {
  const [srp, password] = session;
  if (!user || !succeeded(srp, 'SRP_A') || !succeeded(password, 'PASSWORD_VERIFIER')) return undefined;
  const factor = await records.read(user);
  if (stepAfterPassword(factor) !== 'CUSTOM_CHALLENGE') return undefined;
  return {
    methods: methodsOf(factor),
    hidden: { passwordProved: 'true', generation: factor.generation, challenge: randomId() },
  };
}

function methodsOf(factor: Factor): string {
  if (!isEnabled(factor)) return 'enrollment_ticket';
  return backupCodesRemaining(factor) > 0 ? 'totp,backup_code' : 'totp';
}

/**
 * An answer to that challenge: a code, a backup code or a ticket. Any other answer is wrong, but is no attempt.
 *
 * @throws CountersignError `challenge_invalid`, `invalid_request`, and what `attempt` throws: whoever calls refuses
 */
export async function verifyAnswer(
  services: Omit<Services, 'tokens'>,
  input: {
    user: User | undefined;
    answer: unknown;
    hidden: Partial<PrivateParameters>;
    /** Cognito's app client, for the event. */
    client: string | undefined;
    now: number;
  },
): Promise<void> {
  const { user, answer, hidden, client, now } = input;
  const { passwordProved, generation, challenge } = hidden;
  if (!user || passwordProved !== 'true' || !generation || !challenge || !isRandomId(challenge)) {
    throw new CountersignError('challenge_invalid');
  }
  const typed = proofIn(answer);
  if (!typed) throw new CountersignError('invalid_request');
  await answerChallenge(
    services,
    { user, id: challenge, generation, expiresAt: now + ANSWERED_FOR, via: 'cognito' },
    (factor) => {
      // A ticket looks like a backup code, and after a reset there are none of those.
      const byTicket = 'backupCode' in typed && afterPassword(factor) === 'enrollment_ticket';
      return byTicket ? { enrollmentTicket: typed.backupCode } : typed;
    },
    byUser(client, now),
  );
}

function proofIn(answer: unknown): { code: string } | { backupCode: string } | undefined {
  if (typeof answer !== 'string' || answer.length > LONGEST_TYPED) return undefined;
  const code = typedCode(answer);
  if (CODE.test(code)) return { code };
  const backupCode = typedRecoveryCode(answer);
  return BACKUP_CODE.test(backupCode) ? { backupCode } : undefined;
}

function succeeded(step: Step | undefined, name: string): boolean {
  return step?.challengeName === name && step.challengeResult === true;
}
