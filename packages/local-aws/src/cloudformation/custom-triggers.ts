import type { Principal } from '../iam/policy.ts';
import { isAllowed } from '../iam/policy.ts';
import type { InvokeResult } from '../lambda/runtime.ts';
import type { Deployment, Resource } from './deployment.ts';

/**
 * Runs the deployment's triggers, as CloudFormation does once the resources exist. Each `Custom::Trigger` invokes a
 * function, under the role of its provider.
 *
 * @param sessions the session that each function runs under
 * @throws Error if the function fails, with its error, or if the provider may not invoke it
 */
export async function runCustomTriggers(
  deployment: Deployment,
  sessions: ReadonlyMap<Resource, Principal>,
  invoke: (functionArn: string, event: unknown) => Promise<InvokeResult>,
): Promise<void> {
  for (const { logicalId, properties } of deployment.resources('Custom::Trigger')) {
    const handlerArn = String(properties['HandlerArn']);
    const provider = [...sessions].find(
      ([resource]) => resource.attribute('Arn') === properties['ServiceToken'],
    );
    const allowed = isAllowed(provider?.[1].policies ?? [], {
      action: 'lambda:InvokeFunction',
      resource: handlerArn,
      context: {},
    });
    if (!allowed) throw new Error(`${logicalId}: its provider may not invoke ${handlerArn}.`);
    const result = await invoke(handlerArn, {});
    if (!result.ok) {
      throw new Error(`${logicalId} failed: ${result.error.errorType}: ${result.error.errorMessage}`);
    }
  }
}
