import type { AttributeValue, Request } from 'dynalite/db/index.js';
import { AwsError } from '../aws-error.ts';
import { decide, type Principal, principalContext } from '../iam/policy.ts';
import type { ItemOperation } from './engine.ts';

/**
 * The condition keys of a request ("Using IAM policy conditions for fine-grained access control", DynamoDB Developer
 * Guide).
 *
 * @param hashKey the name of the table's partition key, if there is such a table
 */
export function accessContext(
  operation: ItemOperation,
  request: Request,
  hashKey: string | undefined,
): Record<string, string | string[]> {
  const item = request.Key ?? request.Item;
  const attributes = new Set(
    [item, request._condition?.pathHeads, request._filter?.pathHeads].flatMap((named) =>
      Object.keys(named ?? {}),
    ),
  );
  for (const [head] of [...(request._projection?.paths ?? []), ...(request._updates?.paths ?? [])]) {
    attributes.add(String(head));
  }
  const leadingKey = hashKey === undefined ? undefined : item?.[hashKey];
  const reads = operation === 'GetItem' || operation === 'Scan';
  const select = request._projection ? 'SPECIFIC_ATTRIBUTES' : 'ALL_ATTRIBUTES';
  return {
    'dynamodb:Attributes': [...attributes],
    ...(reads && { 'dynamodb:Select': request.Select ?? select }),
    ...(request.ReturnValues !== undefined && { 'dynamodb:ReturnValues': request.ReturnValues }),
    ...(request.ReturnConsumedCapacity !== undefined && {
      'dynamodb:ReturnConsumedCapacity': request.ReturnConsumedCapacity,
    }),
    ...(leadingKey && { 'dynamodb:LeadingKeys': [keyText(leadingKey)] }),
  };
}

/**
 * Refuses what the principal's policies do not allow.
 *
 * @throws AwsError AccessDeniedException, naming principal, action and resource
 */
export function authorize(
  principal: Principal,
  region: string,
  operation: string,
  resource: string,
  context: Record<string, string | string[]>,
): void {
  const action = `dynamodb:${operation}`;
  const decision = decide(principal.policies, {
    action,
    resource,
    context: { ...principalContext(principal, region), ...context },
  });
  if (decision === 'Allow') return;
  const reason =
    decision === 'Deny'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  throw new AwsError(
    'AccessDeniedException',
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
  );
}

/** The value of a key attribute as `dynamodb:LeadingKeys` has it: text, a number's digits, or base64. */
function keyText(value: AttributeValue): string {
  return String(Object.values(value)[0]);
}
