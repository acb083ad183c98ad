import type { Resource } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import { checkTemplate, render, type Variables } from './variables.ts';

/** The API's own answer to an error of the gateway. */
export interface GatewayResponse {
  status?: number;
  /** Header name → `'literal'`, `context.x` or `method.request.header.x`. */
  headers: Record<string, string>;
  template?: string;
}

/** "Gateway response types for API Gateway", with the messages it answers when nothing is customized. */
const TYPES = {
  ACCESS_DENIED: { status: 403, errorType: 'AccessDeniedException', message: 'Forbidden' },
  API_CONFIGURATION_ERROR: {
    status: 500,
    errorType: 'InternalServerErrorException',
    message: 'Internal server error',
  },
  INTEGRATION_FAILURE: {
    status: 504,
    errorType: 'InternalServerErrorException',
    message: 'Network error communicating with endpoint',
  },
  INTEGRATION_TIMEOUT: {
    status: 504,
    errorType: 'InternalServerErrorException',
    message: 'Endpoint request timed out',
  },
  INVALID_API_KEY: { status: 403, errorType: 'ForbiddenException', message: 'Forbidden' },
  INVALID_SIGNATURE: { status: 403, errorType: 'InvalidSignatureException', message: 'Forbidden' },
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    errorType: 'MissingAuthenticationTokenException',
    message: 'Missing Authentication Token',
  },
  QUOTA_EXCEEDED: { status: 429, errorType: 'LimitExceededException', message: 'Limit Exceeded' },
  REQUEST_TOO_LARGE: { status: 413, errorType: 'RequestTooLargeException', message: 'Request Too Long' },
  THROTTLED: { status: 429, errorType: 'TooManyRequestsException', message: 'Too Many Requests' },
  /** A function failed, or its answer is malformed. There is no type for that, so only the default is left. */
  DEFAULT_5XX: { status: 502, errorType: 'InternalServerErrorException', message: 'Internal server error' },
} as const;
export type ResponseType = keyof typeof TYPES;

export interface Answer {
  status: number;
  /** In order; a name may repeat. */
  headers: [string, string][];
  body: string | Buffer;
}

/** Reads one AWS::ApiGateway::GatewayResponse. @throws Error for anything that AWS would evaluate otherwise. */
export function readGatewayResponse(resource: Resource): [string, GatewayResponse] {
  const { properties, logicalId } = resource;
  known(resource, properties, [
    'ResponseParameters',
    'ResponseTemplates',
    'ResponseType',
    'RestApiId',
    'StatusCode',
  ]);
  const templates = (properties['ResponseTemplates'] ?? {}) as Record<string, string>;
  const { 'application/json': template, ...others } = templates;
  const [other] = Object.keys(others);
  if (other) throw new Error(`${logicalId}: a template for ${other} is not known here.`);
  if (template !== undefined) checkTemplate(logicalId, template);

  const headers: Record<string, string> = {};
  for (const [target, source] of Object.entries(
    (properties['ResponseParameters'] ?? {}) as Record<string, string>,
  )) {
    const [, name] = /^gatewayresponse\.header\.(.+)$/.exec(target) ?? [];
    if (!name || !/^('.*'|context\..+|method\.request\.header\..+)$/.test(source)) {
      throw new Error(`${logicalId}: parameter ${target} = ${source} is not known here.`);
    }
    if (source.startsWith('context.')) checkTemplate(logicalId, `$${source}`);
    headers[name] = source;
  }
  const status = properties['StatusCode'];
  return [
    String(properties['ResponseType']),
    {
      headers,
      ...(template === undefined ? {} : { template }),
      ...(status === undefined ? {} : { status: Number(status) }),
    },
  ];
}

/**
 * Answers with one of the gateway's own errors: by the response of that type, else by the default of its class,
 * else as `{"message": ...}`. A type keeps its own status under a default that sets none.
 *
 * @param message in place of the type's usual one
 */
export function gatewayError(
  type: ResponseType,
  responses: Map<string, GatewayResponse>,
  variables: Variables,
  requestHeader: (name: string) => string | undefined,
  message: string = TYPES[type].message,
): Answer {
  const usual = TYPES[type];
  const fallback = responses.get(usual.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
  const response = responses.get(type) ?? fallback;
  const all: Variables = {
    ...variables,
    'error.message': message,
    'error.messageString': JSON.stringify(message),
    'error.responseType': type,
  };

  const headers: [string, string][] = [['x-amzn-ErrorType', usual.errorType]];
  for (const [name, source] of Object.entries(response?.headers ?? {})) {
    const value = source.startsWith("'")
      ? source.slice(1, -1)
      : source.startsWith('context.')
        ? render(`$${source}`, all, '')
        : requestHeader(source.slice('method.request.header.'.length));
    if (value !== undefined) headers.push([name, value]);
  }
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    headers.push(['Content-Type', 'application/json']);
  }
  const template = response?.template ?? '{"message":$context.error.messageString}';
  return { status: response?.status ?? usual.status, headers, body: render(template, all, '') };
}
