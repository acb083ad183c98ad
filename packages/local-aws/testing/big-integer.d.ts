// The arithmetic of `amazon-cognito-identity-js`, which publishes no types of it.
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
