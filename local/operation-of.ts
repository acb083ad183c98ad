/**
 * Names the operation of a function by the path of its construct, as in functions/: `verify-login` for
 * `CountersignApi/VerifyLogin/…`, `cognito/define-auth-challenge` for `…/Cognito/DefineAuthChallenge/…`.
 */
export function operationOf(constructPath: string): string {
  const [, construct = constructPath] =
    /^[^/]+\/(.+?)(?:\/Function)?(?:\/Resource)?$/.exec(constructPath) ?? [];
  return construct.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}
