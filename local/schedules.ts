import { known } from './template/known.ts';
import type { Deployment } from './template.ts';

/**
 * Checks every schedule of the deployment, and runs none: on a clock that a test moves by months, a schedule would fire a
 * storm of runs at once. What they run is run by `invoke`.
 *
 * @param mayInvoke whether a function's resource policy lets the service invoke it for that source
 * @throws Error that names the rule, and what EventBridge would not do
 */
export function checkSchedules(
  deployment: Deployment,
  mayInvoke: (functionArn: string, service: string, sourceArn: string) => boolean,
): void {
  const functions = deployment.resources('AWS::Lambda::Function').map((one) => one.attribute('Arn'));
  for (const rule of deployment.resources('AWS::Events::Rule')) {
    const { logicalId, properties } = rule;
    known(rule, properties, ['Description', 'Name', 'ScheduleExpression', 'State', 'Tags', 'Targets']);
    const expression = String(properties['ScheduleExpression']);
    if (!/^rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minutes|hours|days))\)$/.test(expression)) {
      throw new Error(`${logicalId}: the schedule ${expression} is not known here.`);
    }
    for (const { Arn } of (properties['Targets'] ?? []) as { Arn: string }[]) {
      if (!functions.includes(Arn)) throw new Error(`${logicalId}: its target ${Arn} is no function.`);
      if (!mayInvoke(Arn, 'events.amazonaws.com', rule.attribute('Arn'))) {
        throw new Error(`${logicalId}: EventBridge may not invoke ${Arn} for it.`);
      }
    }
  }
}
