import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';

/** Whether a function's resource policy lets the service invoke it for that source. */
export type MayInvoke = (functionArn: string, service: string, sourceArn: string) => boolean;

/**
 * Checks every schedule of the deployment. None fires: a test that moves the clock by months would start a storm of
 * runs. Tests invoke the functions themselves.
 *
 * @throws Error that names the rule and what is wrong with it
 */
export function checkSchedules(deployment: Deployment, mayInvoke: MayInvoke): void {
  for (const rule of deployment.resources('AWS::Events::Rule')) {
    const { logicalId, properties } = rule;
    if (properties['EventPattern'] !== undefined) continue;
    known(rule, properties, ['Description', 'Name', 'ScheduleExpression', 'State', 'Tags', 'Targets']);
    const expression = String(properties['ScheduleExpression']);
    if (!/^rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minutes|hours|days))\)$/.test(expression)) {
      throw new Error(`${logicalId}: the schedule ${expression} is not known here.`);
    }
    checkTargets(deployment, rule, mayInvoke);
  }
}

/**
 * Returns the ARNs of a rule's functions.
 *
 * @throws Error for a target that is no function, or that EventBridge may not invoke
 */
export function checkTargets(deployment: Deployment, rule: Resource, mayInvoke: MayInvoke): string[] {
  const functions = deployment.resources('AWS::Lambda::Function').map((one) => one.attribute('Arn'));
  const targets = (rule.properties['Targets'] ?? []) as { Arn: string }[];
  return targets.map(({ Arn }) => {
    if (!functions.includes(Arn)) throw new Error(`${rule.logicalId}: its target ${Arn} is no function.`);
    if (!mayInvoke(Arn, 'events.amazonaws.com', rule.attribute('Arn'))) {
      throw new Error(`${rule.logicalId}: EventBridge may not invoke ${Arn} for it.`);
    }
    return Arn;
  });
}
