/** The environment of a function as the template has it. */
type Variables = Record<string, unknown>;

/** What an issuer, or the place of its keys, is put together from: text and CloudFormation's intrinsics. */
export type Parts = unknown[];

/**
 * The same environment, with one trusted issuer more than the synth has put there: for `variables` of `serviceForTests`.
 *
 * @param rest of the entry, as in the configuration
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
