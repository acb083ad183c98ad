import type { Principal } from '../iam/policy.ts';
import { requestHeaders } from './headers.ts';
import { headerOf, type Request } from './request.ts';
import type { Api, Method } from './template.ts';
import type { Variables } from './variables.ts';

/** The caller, if the method asks for a key or a signature. */
export interface Caller {
  apiKey?: { id: string; value: string };
  principal?: Principal;
}

/**
 * Makes the event of a Lambda proxy integration ("Input format of a Lambda function for proxy integration"). Path and path
 * parameters stay percent-encoded as sent; query parameters are decoded.
 */
export function proxyEvent(
  api: Api,
  method: Method,
  request: Request,
  parameters: Record<string, string>,
  caller: Caller,
  variables: Variables,
) {
  const headers = requestHeaders(method, request, variables['requestId'] ?? '');
  const query = parseQuery(request.query);
  const domainName = headerOf(request, 'host') ?? '';
  const { apiKey, principal } = caller;
  return {
    resource: method.resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: lastOf(headers),
    multiValueHeaders: allOf(headers),
    queryStringParameters: query.length > 0 ? lastOf(query) : null,
    multiValueQueryStringParameters: query.length > 0 ? allOf(query) : null,
    pathParameters: Object.keys(parameters).length > 0 ? parameters : null,
    stageVariables: null,
    requestContext: {
      resourceId: method.resourceId,
      resourcePath: method.resourcePath,
      httpMethod: request.method,
      extendedRequestId: variables['extendedRequestId'],
      requestTime: variables['requestTime'],
      path: request.path,
      accountId: api.account,
      protocol: request.protocol,
      stage: api.stage,
      domainPrefix: domainName.split('.')[0],
      requestTimeEpoch: Number(variables['requestTimeEpoch']),
      requestId: variables['requestId'],
      identity: {
        cognitoIdentityPoolId: null,
        cognitoIdentityId: null,
        ...(apiKey ? { apiKey: apiKey.value, apiKeyId: apiKey.id } : {}),
        principalOrgId: null,
        cognitoAuthenticationType: null,
        userArn: principal?.arn ?? null,
        userAgent: headerOf(request, 'user-agent') ?? null,
        accountId: principal ? api.account : null,
        caller: principal?.accessKeyId ?? null,
        sourceIp: request.sourceIp,
        accessKey: principal?.accessKeyId ?? null,
        cognitoAuthenticationProvider: null,
        user: principal?.accessKeyId ?? null,
      },
      domainName,
      deploymentId: api.deploymentId,
      apiId: api.id,
    },
    body: request.body.length === 0 ? null : request.body.toString('utf8'),
    isBase64Encoded: false,
  };
}

function parseQuery(query: string): [string, string][] {
  return [...new URLSearchParams(query)];
}

function lastOf(pairs: [string, string][]): Record<string, string> {
  return Object.fromEntries(pairs);
}

function allOf(pairs: [string, string][]): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of pairs) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries(all);
}
