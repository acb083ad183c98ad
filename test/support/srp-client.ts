import { createHmac } from 'node:crypto';
import authentication from 'amazon-cognito-identity-js/lib/AuthenticationHelper.js';
import integer from 'amazon-cognito-identity-js/lib/BigInteger.js';
import date from 'amazon-cognito-identity-js/lib/DateHelper.js';

const { default: AuthenticationHelper } = authentication;
const { default: BigInteger } = integer;
const { default: DateHelper } = date;

/**
 * Returns the client's side of one SRP exchange, for tests that call Cognito with the bare SDK, which has no
 * SRP. amazon-cognito-identity-js computes the numbers and the key, so none of this is our own cryptography.
 */
export function srpClient(userPoolId: string) {
  const poolName = userPoolId.slice(userPoolId.indexOf('_') + 1);
  const helper = new AuthenticationHelper(poolName);
  return {
    /** Returns SRP_A, which begins the exchange. */
    async a(): Promise<string> {
      return (await promised(helper.getLargeAValue.bind(helper))).toString(16);
    },

    /**
     * Returns the ChallengeResponses to PASSWORD_VERIFIER, which prove this password for Cognito's
     * parameters.
     */
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
