import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { LambdaClient } from '@aws-sdk/client-lambda';

export interface Connection {
  region: string;
  cognito: CognitoIdentityProviderClient;
  lambda: LambdaClient;
}

/**
 * Clients for a pool, with the SDK's usual credentials. A pool's id starts with the region it was made in.
 *
 * @throws Error for what is no pool's id
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
