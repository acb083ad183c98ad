import type { Deployment } from '../cloudformation/deployment.ts';
import { mixedCase } from '../cloudformation/identifiers.ts';
import type { Api } from './template.ts';
import { planOf } from './throttle.ts';

/** An API key with its value. */
export interface ApiKeyValue {
  id: string;
  name: string;
  enabled: boolean;
  value: string;
  /** The usage plan's limit in requests a second, if the key is in a plan. */
  rate?: number;
}

/** Reads the API's keys. A value is the template's own, or one made up once and kept. */
export function readApiKeys(deployment: Deployment, api: Api): ApiKeyValue[] {
  const resources = deployment.resources('AWS::ApiGateway::ApiKey');
  return api.keys.flatMap((key) => {
    const resource = resources.find(({ ref }) => ref === key.id);
    if (!resource) return [];
    const { stack, logicalId, properties } = resource;
    const value =
      properties['Value'] ?? deployment.identifiers.get(`${stack}/${logicalId}/value`, mixedCase(40));
    const plan = planOf(api, key);
    const rate = plan && { rate: plan.throttle?.rate ?? Number.POSITIVE_INFINITY };
    return [{ ...key, value: String(value), ...rate }];
  });
}
