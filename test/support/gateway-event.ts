import type { APIGatewayProxyEvent, Context } from 'aws-lambda';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Returns API Gateway's proxy event, with the members that functions read. */
export function gatewayEvent({
  headers = JSON_TYPE,
  body = null,
  userArn,
  ...more
}: {
  headers?: Record<string, string>;
  body?: string | null;
  isBase64Encoded?: boolean;
  pathParameters?: Record<string, string>;
  queryStringParameters?: Record<string, string>;
  /** ARN of the caller of a signed request. */
  userArn?: string | undefined;
}): APIGatewayProxyEvent {
  const event: unknown = {
    isBase64Encoded: false,
    pathParameters: null,
    queryStringParameters: null,
    ...more,
    headers,
    body,
    requestContext: {
      requestId: 'request-1',
      domainName: 'api.example',
      path: '/prod/v1/auth/login',
      identity: { apiKeyId: 'key-1', sourceIp: '192.0.2.7', userArn: userArn ?? null },
    },
  };
  return event as APIGatewayProxyEvent;
}

/** Returns the context of an invocation that has so many milliseconds left. */
export function lambdaContext(remaining = 10_000): Context {
  const context: unknown = {
    awsRequestId: 'invocation-1',
    functionName: 'function',
    getRemainingTimeInMillis: () => remaining,
  };
  return context as Context;
}
