import { AwsError } from '../../aws-error.ts';
import { incorrect, invalidParameter } from '../errors.ts';
import type { ChallengeResult } from '../sessions.ts';
import type { TriggerName } from '../settings.ts';
import {
  type Answer,
  type Attempt,
  isConfirmed,
  mayTry,
  parameter,
  preAuthentication,
  type Subject,
  subjectNamed,
  subjectOf,
  triggerAttributes,
} from './attempt.ts';
import { issue } from './issue.ts';
import { offerPassword } from './srp-challenge.ts';

const invalidAnswer = () => new AwsError('InvalidLambdaResponseException', 'Unrecognizable lambda output');

/** Calls one of the three triggers of a custom sign-in. */
async function ask(
  attempt: Attempt,
  { user, username }: Subject,
  trigger: TriggerName,
  request: Record<string, unknown>,
  response: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const answer = await attempt.pool.call({
    trigger,
    source: 'Authentication',
    username,
    clientId: attempt.client.id,
    request: {
      userAttributes: triggerAttributes(user),
      ...request,
      ...(attempt.metadata ? { clientMetadata: attempt.metadata } : {}),
      ...(attempt.client.hidesUsers ? { userNotFound: !user } : {}),
    },
    response,
  });
  if (!answer) throw invalidParameter('Custom auth lambda trigger is not configured for the user pool.');
  return answer;
}

/** Reads a map of strings from a trigger's answer. Throws `InvalidLambdaResponseException` for anything else. */
function parameters(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidAnswer();
  if (!Object.values(value).every((entry) => typeof entry === 'string')) throw invalidAnswer();
  return value as Record<string, string>;
}

async function createChallenge(
  attempt: Attempt,
  subject: Subject,
  history: ChallengeResult[],
): Promise<Answer> {
  const created = await ask(
    attempt,
    subject,
    'CreateAuthChallenge',
    { challengeName: 'CUSTOM_CHALLENGE', session: history },
    { publicChallengeParameters: null, privateChallengeParameters: null, challengeMetadata: null },
  );
  const metadata = created['challengeMetadata'];
  const shown = parameters(created['publicChallengeParameters']);
  const session = attempt.pool.sessions.open(
    {
      clientId: attempt.client.id,
      username: subject.username,
      ...(subject.user ? { sub: subject.user.sub } : {}),
      step: {
        challenge: 'CUSTOM_CHALLENGE',
        custom: history,
        privateParameters: parameters(created['privateChallengeParameters']),
        metadata: typeof metadata === 'string' ? metadata : null,
      },
    },
    attempt.client.sessionValidity,
  );
  return {
    ChallengeName: 'CUSTOM_CHALLENGE',
    ChallengeParameters: { USERNAME: subject.username, ...shown },
    Session: session.id,
  };
}

/**
 * Asks the define trigger what comes next, and does it: tokens, another challenge, or the end. An unknown user never
 * receives tokens. Throws `NotAuthorizedException` at the end, `InvalidLambdaResponseException` for a challenge that
 * cannot follow.
 */
export async function advance(
  attempt: Attempt,
  subject: Subject,
  history: ChallengeResult[],
): Promise<Answer> {
  const next = await ask(
    attempt,
    subject,
    'DefineAuthChallenge',
    { session: history },
    { challengeName: null, issueTokens: null, failAuthentication: null },
  );
  if (next['failAuthentication'] === true) throw incorrect();
  if (next['issueTokens'] === true) {
    if (!subject.user) throw incorrect();
    return issue(attempt, subject.user);
  }
  if (next['challengeName'] === 'CUSTOM_CHALLENGE') return createChallenge(attempt, subject, history);
  const passwordMayFollow = history.length === 1 && history[0]?.challengeName === 'SRP_A';
  if (next['challengeName'] === 'PASSWORD_VERIFIER' && passwordMayFollow) {
    return offerPassword(attempt, subject, history);
  }
  throw invalidAnswer();
}

/** Starts CUSTOM_AUTH, with the password first if CHALLENGE_NAME is SRP_A. */
export async function startCustom(attempt: Attempt): Promise<Answer> {
  const subject = subjectNamed(attempt, parameter(attempt, 'USERNAME'));
  const withPassword = attempt.parameters['CHALLENGE_NAME'] === 'SRP_A';
  if (withPassword) parameter(attempt, 'SRP_A');
  await preAuthentication(attempt, subject);
  if (subject.user && !withPassword) {
    mayTry(subject.user);
    isConfirmed(subject.user);
  }
  const history = withPassword
    ? [{ challengeName: 'SRP_A', challengeResult: true, challengeMetadata: null }]
    : [];
  return advance(attempt, subject, history);
}

/** Answers CUSTOM_CHALLENGE: the verify trigger judges, the define trigger decides. The session is used up either way. */
export async function answerCustom(attempt: Attempt, sessionId: string): Promise<Answer> {
  parameter(attempt, 'USERNAME');
  const given = parameter(attempt, 'ANSWER');
  const session = attempt.pool.sessions.take(sessionId, attempt.client.id, 'CUSTOM_CHALLENGE');
  const { step } = session;
  if (step.challenge !== 'CUSTOM_CHALLENGE') throw incorrect();
  const subject = subjectOf(attempt, session);
  if (subject.user) mayTry(subject.user);
  const judged = await ask(
    attempt,
    subject,
    'VerifyAuthChallengeResponse',
    { privateChallengeParameters: step.privateParameters, challengeAnswer: given },
    { answerCorrect: null },
  );
  return advance(attempt, subject, [
    ...step.custom,
    {
      challengeName: 'CUSTOM_CHALLENGE',
      challengeResult: judged['answerCorrect'] === true,
      challengeMetadata: step.metadata,
    },
  ]);
}
