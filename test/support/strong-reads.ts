import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * Returns whether each read of this client while `work` ran requested strong consistency. The answers do not
 * show it, because the embedded DynamoDB has one copy, which is never stale.
 */
export async function readsDuring(
  client: DynamoDBClient,
  work: () => Promise<unknown>,
): Promise<{ operation: string; consistent: boolean }[]> {
  const reads: { operation: string; consistent: boolean }[] = [];
  const name = 'readsDuring';
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = String(context.commandName).replace('Command', '');
      if (/^(Get|Scan|Query|BatchGet)/.test(operation)) {
        const { input } = args;
        reads.push({ operation, consistent: 'ConsistentRead' in input && input.ConsistentRead === true });
      }
      return next(args);
    },
    { name, step: 'initialize' },
  );
  try {
    await work();
  } finally {
    client.middlewareStack.remove(name);
  }
  return reads;
}
