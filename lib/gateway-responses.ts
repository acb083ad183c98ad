import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { pascalCase } from './pascal-case.ts';

/** An answer that API Gateway gives itself, before or instead of a function. */
export interface GatewayAnswer {
  /** As API Gateway names it. */
  type: string;
  status: number;
  /** Stable, and from the same table as the functions' codes: one code, one status. */
  code: string;
  title: string;
  detail: string;
  /** Seconds, as Retry-After says them. */
  retryAfter?: number;
}

const internal = {
  status: 500,
  code: 'internal_error',
  title: 'Something went wrong here.',
  detail: 'The request could not be handled.',
} as const;
const invalid = {
  status: 400,
  code: 'invalid_request',
  title: 'The request does not have the form this operation takes.',
  detail: 'The request is not well formed.',
} as const;
const timedOut = {
  status: 504,
  code: 'operation_timed_out',
  title: 'No answer in time',
  detail: 'The operation gave no answer. It may have been carried out.',
  retryAfter: 1,
} as const;

/** Every type of gateway response there is. The texts hold nothing of the request. */
export const gatewayAnswers: readonly GatewayAnswer[] = [
  {
    type: 'ACCESS_DENIED',
    status: 403,
    code: 'access_denied',
    title: 'Access denied',
    detail: 'The caller may not do this.',
  },
  { type: 'API_CONFIGURATION_ERROR', ...internal },
  { type: 'AUTHORIZER_CONFIGURATION_ERROR', ...internal },
  { type: 'AUTHORIZER_FAILURE', ...internal },
  { type: 'BAD_REQUEST_BODY', ...invalid },
  { type: 'BAD_REQUEST_PARAMETERS', ...invalid },
  { type: 'DEFAULT_4XX', ...invalid },
  {
    // A function that crashed or answered nonsense: API Gateway has no type of its own for it.
    type: 'DEFAULT_5XX',
    status: 502,
    code: 'operation_failed',
    title: 'The operation failed',
    detail: 'The operation ended without an answer. It may have been carried out.',
    retryAfter: 1,
  },
  {
    type: 'EXPIRED_TOKEN',
    status: 403,
    code: 'signature_expired',
    title: 'Signature expired',
    detail: 'The credentials that signed the request have expired.',
  },
  { type: 'INTEGRATION_FAILURE', ...timedOut },
  { type: 'INTEGRATION_TIMEOUT', ...timedOut },
  {
    type: 'INVALID_API_KEY',
    status: 403,
    code: 'api_key_invalid',
    title: 'API key missing or invalid',
    detail: 'The header x-api-key must carry a key of this API.',
  },
  {
    type: 'INVALID_SIGNATURE',
    status: 403,
    code: 'signature_invalid',
    title: 'Signature invalid',
    detail: 'The SigV4 signature of the request does not match.',
  },
  {
    // Both at once, and API Gateway does not say which.
    type: 'MISSING_AUTHENTICATION_TOKEN',
    status: 403,
    code: 'unknown_operation',
    title: 'Unknown or unsigned',
    detail: 'There is no such method and path, or it wants a SigV4 signature and the request has none.',
  },
  {
    type: 'QUOTA_EXCEEDED',
    status: 429,
    code: 'quota_exceeded',
    title: 'Quota exceeded',
    detail: 'The API key has used up its quota for today.',
    retryAfter: 3600,
  },
  {
    type: 'REQUEST_TOO_LARGE',
    status: 413,
    code: 'body_too_large',
    title: 'The body is larger than 16 KB.',
    detail: 'The body of the request is too large.',
  },
  {
    type: 'RESOURCE_NOT_FOUND',
    status: 404,
    code: 'not_found',
    title: 'Not found',
    detail: 'There is no such resource.',
  },
  {
    type: 'THROTTLED',
    status: 429,
    code: 'throttled',
    title: 'Too many requests',
    detail: 'The API key, or the service as a whole, has too many requests at once.',
    retryAfter: 1,
  },
  {
    type: 'UNAUTHORIZED',
    status: 401,
    code: 'unauthorized',
    title: 'Unauthorized',
    detail: 'The request carries no acceptable credentials.',
  },
  {
    type: 'UNSUPPORTED_MEDIA_TYPE',
    status: 415,
    code: 'unsupported_media_type',
    title: 'The body has to be application/json.',
    detail: 'The body must be application/json.',
  },
  {
    type: 'WAF_FILTERED',
    status: 403,
    code: 'request_filtered',
    title: 'Request filtered',
    detail: 'A firewall rule refused the request.',
  },
];

/**
 * Gives API Gateway's own answers the shape of all others: problem+json (RFC 9457) with a stable code. Scripts of
 * the allowed origins can read them.
 */
export function addGatewayResponses(api: RestApi, origins: readonly string[]): void {
  // A gateway response cannot choose among origins. It holds nothing of a user and no cookie is ever asked for.
  const origin = origins.length > 1 ? '*' : origins[0];
  for (const { type, status, code, title, detail, retryAfter } of gatewayAnswers) {
    const body = JSON.stringify({
      type: `urn:countersign:error:${code}`,
      title,
      status,
      code,
      detail,
      requestId: '$context.requestId',
    });
    api.addGatewayResponse(`${pascalCase(type.toLowerCase())}Response`, {
      type: ResponseType.of(type),
      statusCode: String(status),
      responseHeaders: {
        'Content-Type': "'application/problem+json'",
        'Cache-Control': "'no-store'",
        ...(retryAfter !== undefined && { 'Retry-After': `'${retryAfter}'` }),
        ...(origin && {
          'Access-Control-Allow-Origin': `'${origin}'`,
          'Access-Control-Expose-Headers': "'retry-after'",
        }),
      },
      templates: { 'application/json': body },
    });
  }
}
