import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';

/**
 * The access log's format: one line of JSON for each request. It has no query string, no header and no path
 * as sent (`resourcePath` is the route's), because these could contain a token, a code or a user's id.
 */
export const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    time: '$context.requestTimeEpoch',
    method: '$context.httpMethod',
    route: '$context.resourcePath',
    status: '$context.status',
    responseType: '$context.error.responseType',
    latency: '$context.responseLatency',
    integrationLatency: '$context.integrationLatency',
    responseLength: '$context.responseLength',
    apiKeyId: '$context.identity.apiKeyId',
    caller: '$context.identity.userArn',
    sourceIp: '$context.identity.sourceIp',
  }),
);
