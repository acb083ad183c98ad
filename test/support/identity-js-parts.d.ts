/** The parts of `amazon-cognito-identity-js` that the tests use by themselves: the library publishes no types of them, and they are CommonJS. */
declare module 'amazon-cognito-identity-js/lib/AuthenticationHelper.js' {
  import type { BigInteger } from 'amazon-cognito-identity-js/lib/BigInteger.js';

  type Callback<T> = (error: Error | null, result: T) => void;
  interface AuthenticationHelper {
    getLargeAValue(callback: Callback<BigInteger>): void;
    getPasswordAuthenticationKey(
      username: string,
      password: string,
      serverB: BigInteger,
      salt: BigInteger,
      callback: Callback<Uint8Array>,
    ): void;
  }
  const library: { default: { new (poolName: string): AuthenticationHelper } };
  export default library;
}

declare module 'amazon-cognito-identity-js/lib/DateHelper.js' {
  const library: { default: { new (): { getNowString(): string } } };
  export default library;
}
