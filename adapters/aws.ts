import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';

/**
 * How long a dependency may take. A request that does not answer is given up (`requestTimeout` alone only warns) and tried
 * once more, so that one read and one write end, in a clear answer, well inside a function's own limit.
 */
export const patience = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 400, requestTimeout: 600, throwOnRequestTimeout: true },
};

export function dynamoDb(): DynamoDBClient {
  return new DynamoDBClient(patience);
}

export function kms(): KMSClient {
  return new KMSClient(patience);
}
