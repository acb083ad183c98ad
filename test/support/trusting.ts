/** The environment of a function in the template. */
type Variables = Record<string, unknown>;

/** The parts of an issuer or of its `jwksUri`: text and CloudFormation intrinsics. */
export type Parts = unknown[];

/**
 * Returns the environment with one more trusted issuer than the synth put there, for `variables` of
 * `serviceForTests`.
 *
 * @param rest the other members of the entry, as in the configuration
 */
export function trusting(
  given: Variables,
  { issuer, jwksUri, ...rest }: { issuer: Parts; jwksUri: Parts; realm: string } & Record<string, unknown>,
): Variables {
  const [, parts] = (given['TRUSTED_ISSUERS'] as { 'Fn::Join': [string, Parts] })['Fn::Join'];
  const others = JSON.stringify({ algorithms: ['RS256'], clientIds: ['any'], accountClaim: 'sub', ...rest });
  const longer = [
    ...parts.slice(0, -1),
    String(parts.at(-1)).replace(/\]$/, ',{"issuer":"'),
    ...issuer,
    '","jwksUri":"',
    ...jwksUri,
    `",${others.slice(1)}]`,
  ];
  return { ...given, TRUSTED_ISSUERS: { 'Fn::Join': ['', longer] } };
}
