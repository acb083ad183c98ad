import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from '../context.ts';
import type { BusEvent } from '../eventbridge/bus.ts';
import type { Principal } from '../iam/policy.ts';

/** An administrator's call to the API of user pools. */
export interface ApiCall {
  operation: string;
  poolId: string;
  /** The sub of the user in question, if there is one of that name. */
  sub?: string | undefined;
  principal: Principal;
  headers: IncomingHttpHeaders;
  /** The error's code, if it was refused. */
  errorCode?: string | undefined;
}

/**
 * Makes the event that EventBridge receives when CloudTrail records a call ("Amazon Cognito logging in AWS CloudTrail",
 * "AWS service events delivered via AWS CloudTrail"). Only `additionalEventData.sub` names the user.
 */
export function recordOf(call: ApiCall, { account, region, clock }: Context): BusEvent {
  const { operation, poolId, sub, principal, headers, errorCode } = call;
  return {
    source: 'aws.cognito-idp',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventVersion: '1.08',
      userIdentity: {
        type: principal.arn.includes(':assumed-role/') ? 'AssumedRole' : 'IAMUser',
        arn: principal.arn,
        accountId: account,
        accessKeyId: principal.accessKeyId,
      },
      eventTime: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
      eventSource: 'cognito-idp.amazonaws.com',
      eventName: operation,
      awsRegion: region,
      sourceIPAddress: '127.0.0.1',
      userAgent: headers['user-agent'],
      ...(errorCode !== undefined && { errorCode }),
      requestParameters: { userPoolId: poolId, username: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
      responseElements: null,
      ...(sub !== undefined && { additionalEventData: { sub } }),
      requestID: randomUUID(),
      eventID: randomUUID(),
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
    },
  };
}
