/**
 * Types the CommonJS parts of `amazon-cognito-identity-js` that the tests use. The library publishes no types
 * for them.
 */
declare module 'amazon-cognito-identity-js/lib/BigInteger.js' {
  export interface BigInteger {
    toString(radix: number): string;
    modPow(
      exponent: BigInteger,
      modulus: BigInteger,
      callback?: (error: null, result: BigInteger) => void,
    ): BigInteger;
  }
  const library: { default: { new (digits: string, radix: number): BigInteger; prototype: BigInteger } };
  export default library;
}

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
