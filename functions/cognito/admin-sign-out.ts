import * as v from 'valibot';
import { dynamoDb } from '../../adapters/aws.ts';
import { secondsNow } from '../../adapters/clock.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { isOwnSignOut } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { forgetFactor, revokeSessions } from '../../core/admin.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/** EventBridge's "AWS API Call via CloudTrail". Names are hidden in it; the user is told by `sub`. */
const Event = v.looseObject({
  detail: v.looseObject({
    eventName: v.optional(v.string()),
    userAgent: v.optional(v.string()),
    additionalEventData: v.looseObject({ sub: v.pipe(v.string(), v.minLength(1)) }),
  }),
});

/**
 * Invoked where an administrator has signed a user out at the pool itself, or disabled or deleted one: ends the sessions
 * here. It comes some time after, seldom twice, and a session begun in between ends too: whether that was the user or
 * who was to be signed out, nobody can tell. Of a deleted user the second factor goes too. What fails is tried again by Lambda.
 */
export const handler = async (event: unknown): Promise<void> => {
  const { detail } = v.parse(Event, event);
  if (isOwnSignOut(detail, TABLE_NAME)) return;
  const user = { realm: SETTINGS.realm, sub: detail.additionalEventData.sub };
  const end = detail.eventName === 'AdminDeleteUser' ? forgetFactor : revokeSessions;
  await end(records, user, secondsNow());
};
