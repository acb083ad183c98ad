import type { AttributeValue, BatchGet, BatchWrite, Item, Request } from 'dynalite/db/index.js';
import { AwsError } from '../aws-error.ts';
import type { Principal } from '../iam/policy.ts';
import { decide, principalContext } from '../iam/policy.ts';

/** A part of a request that one table answers. */
export interface TableAccess {
  tableName: string;
  /** The condition keys of the request, all but the leading keys. */
  context: Record<string, string | string[]>;
  /** The items named by the request; empty where it names none (Scan). */
  keys: Item[];
  indexName?: string;
}

/**
 * What a request asks of each table, with the condition keys of "Using IAM policy conditions for fine-grained access
 * control" (DynamoDB Developer Guide).
 */
export function tableAccesses(operation: string, request: Request): TableAccess[] {
  if (request.RequestItems) {
    return Object.entries(request.RequestItems).map(([tableName, part]) => ({
      tableName,
      ...(Array.isArray(part) ? batchWrite(part) : batchGet(part)),
    }));
  }
  const keys = [request.Key, request.Item, queried(request)].filter((key) => key !== undefined);
  const attributes = new Set(
    [
      ...keys,
      request._condition?.pathHeads,
      request._filter?.pathHeads,
      request.Expected,
      request.AttributeUpdates,
      request.QueryFilter,
      request.ScanFilter,
    ].flatMap((named) => Object.keys(named ?? {})),
  );
  for (const [head] of [...(request._projection?.paths ?? []), ...(request._updates?.paths ?? [])]) {
    attributes.add(String(head));
  }
  for (const name of request.AttributesToGet ?? []) attributes.add(name);
  const reads = operation === 'GetItem' || operation === 'Query' || operation === 'Scan';
  return [
    {
      tableName: request.TableName ?? '',
      keys,
      context: {
        'dynamodb:Attributes': [...attributes],
        ...(reads ? { 'dynamodb:Select': request.Select ?? selected(request) } : {}),
        ...optional('dynamodb:ReturnValues', request.ReturnValues),
        ...optional('dynamodb:ReturnConsumedCapacity', request.ReturnConsumedCapacity),
      },
      ...(request.IndexName === undefined ? {} : { indexName: request.IndexName }),
    },
  ];
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
  context: Record<string, string | string[]> = {},
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
export function keyText(value: AttributeValue): string {
  return String(Object.values(value)[0]);
}

function queried(request: Request): Item | undefined {
  if (!request.KeyConditions) return undefined;
  return Object.fromEntries(
    Object.entries(request.KeyConditions).map(([name, condition]) => [
      name,
      condition.AttributeValueList[0] ?? {},
    ]),
  );
}

function batchGet(part: BatchGet): Omit<TableAccess, 'tableName'> {
  const projected = part._projection?.paths.map(([head]) => String(head)) ?? part.AttributesToGet ?? [];
  const attributes = [...part.Keys.flatMap((key) => Object.keys(key)), ...projected];
  return {
    keys: part.Keys,
    context: { 'dynamodb:Attributes': [...new Set(attributes)], 'dynamodb:Select': selected(part) },
  };
}

function batchWrite(part: BatchWrite[]): Omit<TableAccess, 'tableName'> {
  const keys = part.map((write) => write.PutRequest?.Item ?? write.DeleteRequest?.Key ?? {});
  return {
    keys,
    context: { 'dynamodb:Attributes': [...new Set(keys.flatMap((key) => Object.keys(key)))] },
  };
}

function selected(part: Pick<BatchGet, '_projection' | 'AttributesToGet'>): string {
  return part._projection || part.AttributesToGet ? 'SPECIFIC_ATTRIBUTES' : 'ALL_ATTRIBUTES';
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}
