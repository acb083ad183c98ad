/**
 * Signs in to a Cognito user pool with Amplify, with the second factor inside Cognito's own sign-in. The
 * tests run this file unchanged (test/docs/amplify-example.test.ts).
 */
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn, signOut } from 'aws-amplify/auth';

export interface Settings {
  userPoolId: string;
  /** The output AppsClientId. This client allows the custom flow and refresh, nothing else. */
  userPoolClientId: string;
  /** The output ApiUrl. */
  countersignUrl: string;
  /** The value of one of Countersign's API keys. */
  countersignApiKey: string;
  /** For a pool that is not in AWS. */
  userPoolEndpoint?: string;
}

/** Shows the user the accepted methods (`totp`, `backup_code`), and resolves to what they typed. */
export type AskForCode = (methods: string[]) => Promise<string>;

let settings: Settings;

/** Configures Amplify and the calls to Countersign. Call it once, before anything else. */
export function configure(given: Settings): void {
  settings = given;
  const { userPoolId, userPoolClientId, userPoolEndpoint } = given;
  Amplify.configure({
    Auth: { Cognito: { userPoolId, userPoolClientId, ...(userPoolEndpoint && { userPoolEndpoint }) } },
  });
}

/**
 * Signs in with the password, by SRP, and then with the second factor if the user has one. After a wrong code
 * it asks again.
 *
 * @throws Amplify's `NotAuthorizedException` after a wrong password or a third wrong code
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

/** Returns whether this user has to enroll before anything else. */
export async function enrollmentRequired(): Promise<boolean> {
  const { tokens } = await fetchAuthSession();
  return tokens?.accessToken.payload['enrollment_required'] === 'true';
}

/** Begins to enroll an authenticator. Show `qrSvg`, then confirm with the code from the app. */
export async function beginEnrollment(
  name: string,
): Promise<{ authenticatorId: string; qrSvg: string; secret: string }> {
  return countersign('/v1/totp/enroll', { name });
}

/** Puts the authenticator in force. With the first one, returns the backup codes, this once: show them. */
export async function confirmEnrollment(
  authenticatorId: string,
  code: string,
): Promise<{ backupCodes?: string[] }> {
  return countersign('/v1/totp/confirm', { authenticatorId, code });
}

/** Signs out of Cognito. */
export async function endSession(): Promise<void> {
  await signOut();
}

/** Calls Countersign as the signed-in user. */
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
