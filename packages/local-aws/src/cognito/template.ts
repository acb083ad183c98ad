import type { Deployment } from '../cloudformation/deployment.ts';
import type { PoolDefinition } from './pool.ts';

/** Reads the template's user pools, each with its app clients. */
export function poolDefinitions(deployment: Deployment): PoolDefinition[] {
  const clients = deployment.resources('AWS::Cognito::UserPoolClient');
  return deployment.resources('AWS::Cognito::UserPool').map((pool) => ({
    id: pool.ref,
    arn: pool.attribute('Arn'),
    name: String(pool.properties['UserPoolName'] ?? pool.logicalId),
    properties: pool.properties,
    clients: clients
      .filter(({ properties }) => properties['UserPoolId'] === pool.ref)
      .map(({ ref, properties }) => ({ id: ref, properties })),
  }));
}
