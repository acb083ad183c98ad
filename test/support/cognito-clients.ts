// Third-party Cognito clients behind one small interface, so that one test can run with all of them.
import { after } from 'node:test';
import {
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
  type InitiateAuthCommandOutput,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Outcome, outcome } from '@countersign/local-aws/testing/identity-js';
import { AuthenticationDetails, type CognitoUser } from 'amazon-cognito-identity-js';
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, type SignInOutput, signIn, signOut } from 'aws-amplify/auth';
import type { Service } from '../../local/service.ts';
import { answer, atCognito, password as bySrp } from './cognito-sign-in.ts';
import { cognitoOf } from './people.ts';
import { srpClient } from './srp-client.ts';

/** The state of a sign-in after a step, as its client sees it. */
export type Standing =
  | { kind: 'asked'; parameters: Record<string, string> }
  | { kind: 'signed in'; access: string; id: string }
  | { kind: 'refused'; name: string; message: string };

/** A client with one sign-in at a time. Any error except NotAuthorizedException throws. */
export interface CognitoClient {
  /** Starts the custom flow with the password, by SRP. */
  start(username: string, password: string): Promise<Standing>;
  /** Starts the custom flow with only the name. */
  startWithoutSrp(username: string): Promise<Standing>;
  /** Answers the custom challenge. */
  answer(given: string): Promise<Standing>;
}

/** Returns the clients by name, all connected to this service's pool. */
export function cognitoClients(service: Service): Record<string, CognitoClient> {
  const { endpoint, userPoolId } = service.local.cognito;
  // Without credentials, like an app on a user's device.
  const anybody = new CognitoIdentityProviderClient({ endpoint, region: service.local.operator.region });
  after(() => anybody.destroy());
  return {
    'amazon-cognito-identity-js': identityJs(service),
    'aws-amplify': amplify(service),
    '@aws-sdk/client-cognito-identity-provider': sdk(service, {
      initiate: (input) => anybody.send(new InitiateAuthCommand(input)),
      respond: (input) => anybody.send(new RespondToAuthChallengeCommand(input)),
    }),
    'the SDK’s Admin forms': sdk(service, {
      initiate: (input) =>
        asOperator(service, (cognito) =>
          cognito.send(new AdminInitiateAuthCommand({ UserPoolId: userPoolId, ...input })),
        ),
      respond: (input) =>
        asOperator(service, (cognito) =>
          cognito.send(new AdminRespondToAuthChallengeCommand({ UserPoolId: userPoolId, ...input })),
        ),
    }),
  };
}

async function refusedOr(step: Promise<Standing>): Promise<Standing> {
  try {
    return await step;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NotAuthorizedException') throw error;
    return { kind: 'refused', name: error.name, message: error.message };
  }
}

function identityJs(service: Service): CognitoClient {
  let user: CognitoUser;
  const standing = async (step: Promise<Outcome>): Promise<Standing> => {
    const reached = await step;
    user = reached.user;
    if (reached.kind === 'custom') return { kind: 'asked', parameters: reached.parameters };
    if (reached.kind !== 'session') throw new Error(`an unexpected step: ${reached.kind}`);
    const { session } = reached;
    return {
      kind: 'signed in',
      access: session.getAccessToken().getJwtToken(),
      id: session.getIdToken().getJwtToken(),
    };
  };
  return {
    start: (username, password) => refusedOr(standing(bySrp(service, { username, password }))),
    startWithoutSrp(username) {
      const starting = atCognito(service, { username });
      starting.setAuthenticationFlowType('CUSTOM_AUTH');
      const details = new AuthenticationDetails({ Username: username });
      return refusedOr(standing(outcome(starting, (callbacks) => starting.initiateAuth(details, callbacks))));
    },
    answer: (given) => refusedOr(standing(answer(user, given))),
  };
}

function amplify({ local }: Service): CognitoClient {
  const { endpoint, clientId, userPoolId } = local.cognito;
  Amplify.configure({
    Auth: { Cognito: { userPoolId, userPoolClientId: clientId, userPoolEndpoint: endpoint } },
  });
  const standing = async (step: Promise<SignInOutput>): Promise<Standing> => {
    const { nextStep } = await step;
    if (nextStep.signInStep === 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE') {
      return { kind: 'asked', parameters: nextStep.additionalInfo ?? {} };
    }
    const { tokens } = await fetchAuthSession();
    // It keeps one session, and refuses a sign-in while that session exists.
    await signOut();
    if (nextStep.signInStep !== 'DONE' || !tokens?.idToken) {
      throw new Error(`an unexpected step: ${nextStep.signInStep}`);
    }
    return { kind: 'signed in', access: tokens.accessToken.toString(), id: tokens.idToken.toString() };
  };
  return {
    start: (username, password) =>
      refusedOr(standing(signIn({ username, password, options: { authFlowType: 'CUSTOM_WITH_SRP' } }))),
    startWithoutSrp: (username) =>
      refusedOr(standing(signIn({ username, options: { authFlowType: 'CUSTOM_WITHOUT_SRP' } }))),
    answer: (given) => refusedOr(standing(confirmSignIn({ challengeResponse: given }))),
  };
}

type Reached = Pick<
  InitiateAuthCommandOutput,
  'AuthenticationResult' | 'ChallengeName' | 'ChallengeParameters' | 'Session'
>;
interface Calls {
  initiate(input: {
    ClientId: string;
    AuthFlow: 'CUSTOM_AUTH';
    AuthParameters: Record<string, string>;
  }): Promise<Reached>;
  respond(input: {
    ClientId: string;
    ChallengeName: 'PASSWORD_VERIFIER' | 'CUSTOM_CHALLENGE';
    Session: string | undefined;
    ChallengeResponses: Record<string, string>;
  }): Promise<Reached>;
}

/**
 * Returns an app that makes the calls of the custom flow one by one, or with the Admin calls, its backend.
 */
function sdk({ local }: Service, { initiate, respond }: Calls): CognitoClient {
  const { clientId: ClientId, userPoolId } = local.cognito;
  let open: Reached = {};
  const standing = async (step: Promise<Reached>): Promise<Standing> => {
    const reached = await step;
    const { AuthenticationResult: tokens, ChallengeName, ChallengeParameters: parameters = {} } = reached;
    if (ChallengeName === 'CUSTOM_CHALLENGE') {
      open = reached;
      return { kind: 'asked', parameters };
    }
    if (!tokens?.AccessToken || !tokens.IdToken) throw new Error(`an unexpected step: ${ChallengeName}`);
    return { kind: 'signed in', access: tokens.AccessToken, id: tokens.IdToken };
  };
  const begin = (AuthParameters: Record<string, string>) =>
    initiate({ ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters });
  const start = async (username: string, password: string) => {
    const srp = srpClient(userPoolId);
    const begun = await begin({ USERNAME: username, CHALLENGE_NAME: 'SRP_A', SRP_A: await srp.a() });
    if (begun.ChallengeName !== 'PASSWORD_VERIFIER') return begun;
    return respond({
      ClientId,
      ChallengeName: 'PASSWORD_VERIFIER',
      Session: begun.Session,
      ChallengeResponses: await srp.claim(password, begun.ChallengeParameters ?? {}),
    });
  };
  return {
    start: (username, password) => refusedOr(standing(start(username, password))),
    startWithoutSrp: (username) => refusedOr(standing(begin({ USERNAME: username }))),
    answer: (given) =>
      refusedOr(
        standing(
          respond({
            ClientId,
            ChallengeName: 'CUSTOM_CHALLENGE',
            Session: open.Session,
            ChallengeResponses: { USERNAME: open.ChallengeParameters?.['USERNAME'] ?? '', ANSWER: given },
          }),
        ),
      ),
  };
}

/**
 * Runs `work` with a client set to the current time. The tests advance the clock, and a signature contains
 * its time.
 */
async function asOperator<T>(
  service: Service,
  work: (cognito: CognitoIdentityProviderClient) => Promise<T>,
): Promise<T> {
  const cognito = cognitoOf(service);
  try {
    return await work(cognito);
  } finally {
    cognito.destroy();
  }
}
