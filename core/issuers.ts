/** Returns an issuer as it is compared with others: without the default port and slashes at the end, its host in lower case. */
export function comparable(issuer: string): string {
  return (URL.parse(issuer)?.href ?? issuer).replace(/\/+$/, '');
}

/**
 * Whether an issuer, or the place of its keys, is that of a Cognito pool. The pool's id is a part of the path of both, on
 * `cognito-idp` and `issuer-cognito-idp` and in every region.
 */
export function namesPool(url: string, userPoolId: string): boolean {
  return (URL.parse(url)?.pathname ?? '').split('/').some((part) => unescaped(part) === userPoolId);
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
