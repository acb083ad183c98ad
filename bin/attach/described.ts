import {
  type CognitoIdentityProviderClient,
  DescribeUserPoolCommand,
  type UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';

export interface Described {
  pool: UserPoolType;
  /**
   * Paths of fields that Cognito returned and this version of the SDK does not know, as in
   * `Policies.NewPolicy`.
   */
  unknown: string[];
}

/**
 * Reads a pool, and lists the fields that the SDK silently drops. An update without them would reset them.
 *
 * @throws Error of the SDK
 */
export async function describePool(cognito: CognitoIdentityProviderClient, id: string): Promise<Described> {
  const command = new DescribeUserPoolCommand({ UserPoolId: id });
  let answered = '';
  command.middlewareStack.add(
    (next) => async (given) => {
      const result = await next(given);
      const response = result.response as { body: AsyncIterable<Uint8Array> | Uint8Array };
      const chunks: Uint8Array[] = [];
      if (response.body instanceof Uint8Array) chunks.push(response.body);
      else for await (const chunk of response.body) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      response.body = body;
      answered = body.toString('utf8');
      return result;
    },
    // Runs before the SDK parses the response.
    { step: 'deserialize', priority: 'low', name: 'keepAnswer' },
  );
  const { UserPool: pool } = await cognito.send(command);
  if (!pool) throw new Error(`Cognito describes no pool ${id}.`);
  const { UserPool: whole } = JSON.parse(answered) as { UserPool: unknown };
  return { pool, unknown: beyond(whole, pool) };
}

function beyond(whole: unknown, known: unknown, path = ''): string[] {
  if (typeof whole !== 'object' || whole === null || known instanceof Date) return [];
  return Object.entries(whole).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (value === null) return [];
    const inner = (known as Record<string, unknown>)[name];
    return inner === undefined ? [at] : beyond(value, inner, at);
  });
}
