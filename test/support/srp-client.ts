import { createHmac } from 'node:crypto';
import authentication from 'amazon-cognito-identity-js/lib/AuthenticationHelper.js';
import integer from 'amazon-cognito-identity-js/lib/BigInteger.js';
import date from 'amazon-cognito-identity-js/lib/DateHelper.js';

const { default: AuthenticationHelper } = authentication;
const { default: BigInteger } = integer;
const { default: DateHelper } = date;

/**
 * The client's side of SRP for who calls Cognito by the bare SDK, which has none: the numbers and the key are
 * amazon-cognito-identity-js's, and so nobody's here. One exchange each.
 */
export function srpClient(userPoolId: string) {
  const poolName = userPoolId.slice(userPoolId.indexOf('_') + 1);
  const helper = new AuthenticationHelper(poolName);
  return {
    /** SRP_A, which begins the exchange. */
    async a(): Promise<string> {
      return (await promised(helper.getLargeAValue.bind(helper))).toString(16);
    },

    /** The ChallengeResponses to PASSWORD_VERIFIER: the proof of this password, over what Cognito has shown. */
    async claim(password: string, shown: Record<string, string>): Promise<Record<string, string>> {
      const { USER_ID_FOR_SRP: username = '', SRP_B = '', SALT = '', SECRET_BLOCK = '' } = shown;
      const key = await promised<Uint8Array>((done) =>
        helper.getPasswordAuthenticationKey(
          username,
          password,
          new BigInteger(SRP_B, 16),
          new BigInteger(SALT, 16),
          done,
        ),
      );
      const timestamp = new DateHelper().getNowString();
      const signature = createHmac('sha256', key)
        .update(poolName + username)
        .update(Buffer.from(SECRET_BLOCK, 'base64'))
        .update(timestamp)
        .digest('base64');
      return {
        USERNAME: username,
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: signature,
        TIMESTAMP: timestamp,
      };
    },
  };
}

function promised<T>(start: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });
}
