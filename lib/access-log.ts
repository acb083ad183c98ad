import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';

/**
 * One line of JSON a request. No query string, no header and no path as it was sent (`resourcePath` is the route's):
 * nothing that could hold a token, a code or a user's id.
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
