import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import {
  type AnyErrorCode,
  type ErrorMeaning,
  gatewayErrors,
  operationErrors,
  problemOf,
} from '../functions/contract/errors.ts';
import { pascalCase } from './pascal-case.ts';

/** Every type of gateway response there is, with the code that it is answered with. */
export const gatewayCodes: Readonly<Record<string, AnyErrorCode>> = {
  ACCESS_DENIED: 'access_denied',
  API_CONFIGURATION_ERROR: 'internal_error',
  AUTHORIZER_CONFIGURATION_ERROR: 'internal_error',
  AUTHORIZER_FAILURE: 'internal_error',
  BAD_REQUEST_BODY: 'invalid_request',
  BAD_REQUEST_PARAMETERS: 'invalid_request',
  DEFAULT_4XX: 'invalid_request',
  // A function that crashed or answered nonsense: API Gateway has no type of its own for it.
  DEFAULT_5XX: 'operation_failed',
  EXPIRED_TOKEN: 'signature_expired',
  INTEGRATION_FAILURE: 'operation_timed_out',
  INTEGRATION_TIMEOUT: 'operation_timed_out',
  INVALID_API_KEY: 'api_key_invalid',
  INVALID_SIGNATURE: 'signature_invalid',
  MISSING_AUTHENTICATION_TOKEN: 'unknown_operation',
  QUOTA_EXCEEDED: 'quota_exceeded',
  REQUEST_TOO_LARGE: 'body_too_large',
  RESOURCE_NOT_FOUND: 'not_found',
  THROTTLED: 'throttled',
  UNAUTHORIZED: 'unauthorized',
  UNSUPPORTED_MEDIA_TYPE: 'unsupported_media_type',
  WAF_FILTERED: 'request_filtered',
};

const meanings: Record<AnyErrorCode, ErrorMeaning> = { ...operationErrors, ...gatewayErrors };

/**
 * Gives API Gateway's own answers the shape of all others: problem+json (RFC 9457) with a stable code. Scripts of
 * the allowed origins can read them.
 */
export function addGatewayResponses(api: RestApi, origins: readonly string[]): void {
  // A gateway response cannot choose among origins. It holds nothing of a user and no cookie is ever asked for.
  const origin = origins.length > 1 ? '*' : origins[0];
  for (const [type, code] of Object.entries(gatewayCodes)) {
    const meaning = meanings[code];
    const { status, retryAfter } = meaning;
    const body = JSON.stringify(problemOf(code, meaning, '$context.requestId'));
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
