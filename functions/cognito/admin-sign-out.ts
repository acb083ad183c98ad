import type { Context } from 'aws-lambda';
import * as v from 'valibot';
import { dynamoDb } from '../../adapters/aws.ts';
import { secondsNow } from '../../adapters/clock.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { writeLog } from '../../adapters/log.ts';
import { isOwnSignOut } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { forgetFactor, revokeSessions } from '../../core/admin.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/** EventBridge's "AWS API Call via CloudTrail". Names are hidden in it; the user is told by `sub`. */
const Event = v.looseObject({
  detail: v.looseObject({
    eventName: v.optional(v.string()),
    eventTime: v.pipe(v.string(), v.isoTimestamp()),
    requestID: v.optional(v.string()),
    userAgent: v.optional(v.string()),
    userIdentity: v.optional(v.looseObject({ arn: v.optional(v.string()) })),
    additionalEventData: v.looseObject({ sub: v.pipe(v.string(), v.minLength(1)) }),
  }),
});

/**
 * Handles administrator actions on the pool: sign-outs, new passwords, disabled and deleted users. CloudTrail records them;
 * EventBridge invokes the function, some time after, seldom twice. A session begun in between ends too: nobody can tell
 * whether it is the user's. A deleted user loses the second factor too. Lambda retries what fails.
 */
export const handler = async (event: unknown, context: Context): Promise<void> => {
  const { detail } = v.parse(Event, event);
  if (isOwnSignOut(detail, TABLE_NAME)) return;
  const user = { realm: SETTINGS.realm, sub: detail.additionalEventData.sub };
  const now = secondsNow();
  const act = { by: detail.userIdentity?.arn ?? 'unknown' };
  if (detail.eventName === 'AdminDeleteUser') await forgetFactor(records, user, act, now);
  else await revokeSessions(records, user, { act, passwordSetAt: passwordSetAt(detail) }, now);
  writeLog({
    level: 'info',
    invocationId: context.awsRequestId,
    operation: 'cognito/admin-sign-out',
    event: detail.eventName,
    requestId: detail.requestID,
    realm: user.realm,
    user: user.sub,
    administrator: detail.userIdentity?.arn,
  });
};

/** Only a password set by the administrator is new; after a reset the user has yet to choose one. */
function passwordSetAt({ eventName, eventTime }: { eventName?: string | undefined; eventTime: string }) {
  return eventName === 'AdminSetUserPassword' ? Math.floor(Date.parse(eventTime) / 1000) : undefined;
}
