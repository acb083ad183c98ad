import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorMeaning, gatewayErrors, operationErrors } from '../../functions/contract/errors.ts';
import { gatewayCodes } from '../../lib/gateway-responses.ts';
import { ofType, synthesize } from './synthesize.ts';

const meanings: Record<string, ErrorMeaning> = { ...operationErrors, ...gatewayErrors };

const answersOf = (origins: string[]) =>
  new Map(
    ofType(synthesize({ cors: { origins } }).api, 'AWS::ApiGateway::GatewayResponse').map(
      ([, { Properties }]) => [
        String(Properties['ResponseType']),
        {
          status: String(Properties['StatusCode']),
          headers: Properties['ResponseParameters'] as Record<string, string>,
          templates: Properties['ResponseTemplates'] as Record<string, string>,
        },
      ],
    ),
  );
const closed = answersOf([]);
const oneOrigin = answersOf(['https://app.example']);
const twoOrigins = answersOf(['https://app.example', 'https://other.example']);

// API Gateway Developer Guide, "Gateway response types".
const types = [
  'ACCESS_DENIED',
  'API_CONFIGURATION_ERROR',
  'AUTHORIZER_CONFIGURATION_ERROR',
  'AUTHORIZER_FAILURE',
  'BAD_REQUEST_BODY',
  'BAD_REQUEST_PARAMETERS',
  'DEFAULT_4XX',
  'DEFAULT_5XX',
  'EXPIRED_TOKEN',
  'INTEGRATION_FAILURE',
  'INTEGRATION_TIMEOUT',
  'INVALID_API_KEY',
  'INVALID_SIGNATURE',
  'MISSING_AUTHENTICATION_TOKEN',
  'QUOTA_EXCEEDED',
  'REQUEST_TOO_LARGE',
  'RESOURCE_NOT_FOUND',
  'THROTTLED',
  'UNAUTHORIZED',
  'UNSUPPORTED_MEDIA_TYPE',
  'WAF_FILTERED',
];

test('no response type keeps the format of API Gateway', () => {
  assert.deepEqual([...closed.keys()].sort(), types);
});

describe('each response is problem+json with its status, a stable code and the id of the request', () => {
  for (const [type, code] of Object.entries(gatewayCodes)) {
    const { status, title } = meanings[code] ?? assert.fail(code);
    test(type, () => {
      const answer = closed.get(type);
      assert.equal(answer?.status, String(status));
      assert.equal(answer.headers['gatewayresponse.header.Content-Type'], "'application/problem+json'");
      assert.equal(answer.headers['gatewayresponse.header.Cache-Control'], "'no-store'");
      assert.deepEqual(JSON.parse(answer.templates['application/json'] ?? ''), {
        type: `urn:countersign:error:${code}`,
        title,
        status,
        code,
        detail: title,
        requestId: '$context.requestId',
      });
    });
  }
});

test('every code of API Gateway’s own is one that it answers with', () => {
  const given = new Set<string>(Object.values(gatewayCodes));
  assert.deepEqual(
    Object.keys(gatewayErrors).filter((code) => !given.has(code)),
    [],
  );
});

test('a response that asks to retry later has a Retry-After', () => {
  for (const [type, code] of Object.entries(gatewayCodes)) {
    const { status, retryAfter } = meanings[code] ?? assert.fail(code);
    if (![429, 502, 504].includes(status)) continue;
    assert.equal(closed.get(type)?.headers['gatewayresponse.header.Retry-After'], `'${retryAfter}'`);
  }
});

test('scripts on the configured origins can read the responses; with one origin, no others can', () => {
  const header = 'gatewayresponse.header.Access-Control-Allow-Origin';
  for (const type of types) {
    assert.equal(closed.get(type)?.headers[header], undefined);
    assert.equal(oneOrigin.get(type)?.headers[header], "'https://app.example'");
    assert.equal(twoOrigins.get(type)?.headers[header], "'*'");
    assert.equal(
      twoOrigins.get(type)?.headers['gatewayresponse.header.Access-Control-Allow-Credentials'],
      undefined,
    );
  }
});
