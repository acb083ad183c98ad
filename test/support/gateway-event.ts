import type { APIGatewayProxyEvent, Context } from 'aws-lambda';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** What API Gateway hands to a function behind a proxy integration, as far as functions look at it. */
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
  /** Of the caller of a signed request. */
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

/** An invocation that has so many milliseconds left. */
export function lambdaContext(remaining = 10_000): Context {
  const context: unknown = {
    awsRequestId: 'invocation-1',
    functionName: 'function',
    getRemainingTimeInMillis: () => remaining,
  };
  return context as Context;
}
