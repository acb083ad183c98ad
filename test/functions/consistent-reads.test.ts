// Every read that decides something is strongly consistent on the wire.
// In an older state of a record, a spent code would still count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Listener,
  listeners,
  type Route,
  routes,
  type Trigger,
  triggers,
} from '../../functions/routes.ts';
import { administratorOf } from '../support/administrator.ts';
import { challengeFor, clientOf, text } from '../support/client.ts';
import { fullSession } from '../support/cognito-sign-in.ts';
import { keep } from '../support/keyring-items.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { enrolledPerson } from '../support/ways.ts';

const DAY = 86_400;
interface Read {
  /** The principal that made the read. */
  by: string | undefined;
  /** The operation, or the key if it reads one item. */
  of: string;
  consistent: boolean;
}
const reads: Read[] = [];
let listening = false;
const service = await serviceForTests(unthrottled, {
  onExchange({ service: asked, operation, request }) {
    if (!listening || asked !== 'dynamodb' || !/Get|Scan|Query|Statement/.test(operation)) return;
    const { Key, ConsistentRead } = JSON.parse(request.body) as {
      Key?: { pk: { S: string } };
      ConsistentRead?: boolean;
    };
    // The last recorded call is this one.
    const by = service.calls.at(-1)?.principal;
    const of =
      operation === 'GetItem' ? (Key?.pk.S.replace(/(?<=^(?:USER|FAMILY)#).*/, '…') ?? '') : operation;
    reads.push({ by, of, consistent: ConsistentRead === true });
  },
});
listening = true;
const client = clientOf(service);
const administrator = administratorOf(service);

/** Invokes a function for the pool with an event. Its result does not matter here. */
const invoke = (operation: string, event: object) => service.invoke(`cognito/${operation}`, event);

test('every function reads records, keys and the pages of a sweep consistently', async () => {
  const { person, access, refresh, nextCode } = await enrolledPerson(service, client);
  const challengeToken = await challengeFor(client, person);
  assert.equal((await client.post('/v1/auth/verify', { challengeToken, code: nextCode() })).status, 200);
  assert.equal((await client.post('/v1/auth/refresh', { refreshToken: refresh })).status, 200);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  assert.equal((await client.post('/v1/authenticators/verify', { code: nextCode() }, access)).status, 200);
  const rotated = await client.post('/v1/backup-codes/rotate', { code: nextCode() }, access);
  const session = text(rotated, 'accessToken');
  await fullSession(service, person, nextCode());
  assert.equal((await client.post('/v1/authenticators/disable', { code: nextCode() }, session)).status, 200);
  await administrator.status(person.sub);
  await administrator.unlock(person.sub);
  await administrator.reset(person.sub);
  await administrator.revokeSessions(person.sub);

  const userAttributes = { sub: person.sub };
  const event = { userPoolId: service.local.cognito.userPoolId, request: { userAttributes }, response: {} };
  await invoke('pre-token-generation', { ...event, triggerSource: 'TokenGeneration_NewPasswordChallenge' });
  await invoke('post-confirmation', { ...event, triggerSource: 'PostConfirmation_ConfirmForgotPassword' });
  const detail = {
    eventName: 'AdminDisableUser',
    eventTime: '2026-01-01T00:00:00Z',
    additionalEventData: { sub: person.sub },
  };
  await invoke('admin-sign-out', { detail });
  // A sweep has work to do once a later data key is in use.
  service.clock.advance(91 * DAY);
  await keep(service, 'rotate-keys');
  service.clock.advance(DAY);
  assert.equal((await keep(service, 'reseal'))['outcome'], 'finished');

  const all = reads.filter(({ by }) => by !== service.operator.arn);
  assert.deepEqual(
    all.filter(({ consistent }) => !consistent),
    [],
  );
  assert.deepEqual([...new Set(all.map(({ of }) => of))].sort(), [
    'FAMILY#…',
    'KEYRING#backup-code',
    'KEYRING#data',
    'KEYRING#signing',
    'Scan',
    'USER#…',
  ]);
  const functions: { record?: string }[] = [
    ...Object.values<Route>(routes),
    ...Object.values<Trigger>(triggers),
    ...Object.values<Listener>(listeners),
  ];
  const reading = functions.filter(({ record }) => record !== undefined);
  const heardOf = new Set(all.filter(({ of }) => of === 'USER#…').map(({ by }) => by));
  assert.equal(heardOf.size, reading.length, [...heardOf].join('\n'));
});
