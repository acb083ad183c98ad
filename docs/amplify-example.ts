/**
 * Signing in to a Cognito user pool with Amplify, with the second factor inside Cognito's own sign-in. The tests run this
 * file as it stands (test/docs/amplify-example.test.ts).
 */
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn, signOut } from 'aws-amplify/auth';

export interface Settings {
  userPoolId: string;
  /** The output AppsClientId: custom flow and refresh, nothing else. */
  userPoolClientId: string;
  /** The output ApiUrl. */
  countersignUrl: string;
  /** The value of one of Countersign's API keys. */
  countersignApiKey: string;
  /** For a pool that is not in AWS. */
  userPoolEndpoint?: string;
}

/** Shows the user what can be typed (`totp`, `backup_code`) and resolves to what they typed. */
export type AskForCode = (methods: string[]) => Promise<string>;

let settings: Settings;

export function configure(given: Settings): void {
  settings = given;
  const { userPoolId, userPoolClientId, userPoolEndpoint } = given;
  Amplify.configure({
    Auth: { Cognito: { userPoolId, userPoolClientId, ...(userPoolEndpoint && { userPoolEndpoint }) } },
  });
}

/**
 * The password, by SRP, and then the second factor where the user has one. A wrong code is asked for again; the third ends
 * the sign-in with Amplify's NotAuthorizedException.
 */
export async function signInWithSecondFactor(
  username: string,
  password: string,
  askForCode: AskForCode,
): Promise<void> {
  let { nextStep } = await signIn({ username, password, options: { authFlowType: 'CUSTOM_WITH_SRP' } });
  while (nextStep.signInStep === 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE') {
    const methods = nextStep.additionalInfo?.['methods']?.split(',') ?? [];
    ({ nextStep } = await confirmSignIn({ challengeResponse: await askForCode(methods) }));
  }
  if (nextStep.signInStep !== 'DONE') throw new Error(`This example does not know ${nextStep.signInStep}.`);
}

/** Whether the pool's configuration wants this user to enroll before anything else. */
export async function enrollmentRequired(): Promise<boolean> {
  const { tokens } = await fetchAuthSession();
  return tokens?.accessToken.payload['enrollment_required'] === 'true';
}

/** A new authenticator: show `qrSvg`, then confirm with the code the app shows. */
export async function beginEnrollment(
  name: string,
): Promise<{ authenticatorId: string; qrSvg: string; secret: string }> {
  return countersign('/v1/totp/enroll', { name });
}

/** Puts the authenticator in force. The backup codes are shown this once. */
export async function confirmEnrollment(
  authenticatorId: string,
  code: string,
): Promise<{ backupCodes?: string[] }> {
  return countersign('/v1/totp/confirm', { authenticatorId, code });
}

export async function endSession(): Promise<void> {
  await signOut();
}

async function countersign<T>(path: string, body: unknown): Promise<T> {
  const { tokens } = await fetchAuthSession();
  const response = await fetch(settings.countersignUrl + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': settings.countersignApiKey,
      // The pool's access token: Countersign checks it against the pool's own keys.
      authorization: `Bearer ${tokens?.accessToken.toString()}`,
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as T & { code?: string; detail?: string };
  if (!response.ok) throw new Error(`${answer.code}: ${answer.detail}`);
  return answer;
}
