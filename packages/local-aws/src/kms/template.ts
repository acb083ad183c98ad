import type { Deployment } from '../cloudformation/deployment.ts';
import { statementsIn } from '../iam/roles.ts';
import type { KeyDefinition } from './server.ts';

/** Reads the template's keys. */
export function keyDefinitions(deployment: Deployment): KeyDefinition[] {
  return deployment.resources('AWS::KMS::Key').map((key) => ({
    id: key.ref,
    arn: key.attribute('Arn'),
    policy: statementsIn(key.properties['KeyPolicy']),
    ...(key.properties['Enabled'] === false ? { enabled: false } : {}),
  }));
}
