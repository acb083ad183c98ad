import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { LambdaClient } from '@aws-sdk/client-lambda';

export interface Connection {
  region: string;
  cognito: CognitoIdentityProviderClient;
  lambda: LambdaClient;
}

/**
 * Creates the SDK clients for a pool, with the SDK's usual credentials.
 *
 * @param userPoolId the id, which starts with the pool's region
 * @param region used instead of that region
 * @throws Error if `userPoolId` is not the id of a pool
 */
export function connect(userPoolId: string, region: string | undefined): Connection {
  const [, own] = /^([a-z]{2}(?:-[a-z]+)+-\d)_[0-9A-Za-z]+$/.exec(userPoolId) ?? [];
  if (own === undefined) {
    throw new Error(`--user-pool-id takes the id of a pool, as in eu-west-1_aBcDeFgHi, not "${userPoolId}".`);
  }
  const place = { region: region ?? own };
  return {
    ...place,
    cognito: new CognitoIdentityProviderClient(place),
    lambda: new LambdaClient(place),
  };
}
