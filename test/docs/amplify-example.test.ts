import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginEnrollment,
  configure,
  confirmEnrollment,
  endSession,
  enrollmentRequired,
  signInWithSecondFactor,
} from '../../docs/amplify-example.ts';
import { codeAt } from '../support/client.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const { cognito, apiKey, users } = service.local;
configure({
  userPoolId: cognito.userPoolId,
  userPoolClientId: cognito.clientId,
  userPoolEndpoint: cognito.endpoint,
  countersignUrl: service.url,
  countersignApiKey: apiKey,
});

const [ada, grace] = users;
assert.ok(ada && grace);
const unasked = async () => assert.fail('the example asked for a code');

/** Gives these answers in turn, and records the methods that each question offered. */
function answers(...given: (() => string)[]) {
  const offered: string[][] = [];
  const ask = async (methods: string[]) => {
    offered.push(methods);
    const next = given.shift();
    assert.ok(next, 'one question more than expected');
    return next();
  };
  return { ask, offered };
}

test('the Amplify example enrolls, and signs in with a code after a wrong one and with a backup code', async () => {
  await signInWithSecondFactor(ada.username, ada.password, unasked);
  assert.equal(await enrollmentRequired(), false);
  const { authenticatorId, secret } = await beginEnrollment('My phone');
  const code = () => codeAt(secret, service.clock.seconds());
  const { backupCodes = [] } = await confirmEnrollment(authenticatorId, code());
  assert.equal(backupCodes.length, 10);
  await endSession();

  service.clock.advance(30);
  const first = answers(() => '000000', code);
  await signInWithSecondFactor(ada.username, ada.password, first.ask);
  assert.deepEqual(first.offered, [
    ['totp', 'backup_code'],
    ['totp', 'backup_code'],
  ]);
  await endSession();

  await signInWithSecondFactor(ada.username, ada.password, answers(() => backupCodes[0] ?? '').ask);
  await endSession();
});

test('the Amplify example ends at a third wrong code, and asks no code after a wrong name or password', async () => {
  await signInWithSecondFactor(grace.username, grace.password, unasked);
  const { authenticatorId, secret } = await beginEnrollment('My phone');
  await confirmEnrollment(authenticatorId, codeAt(secret, service.clock.seconds()));
  await endSession();

  const wrong = answers(
    () => '000000',
    () => 'not a code',
    () => '111111',
  );
  const refused = { name: 'NotAuthorizedException' };
  await assert.rejects(signInWithSecondFactor(grace.username, grace.password, wrong.ask), refused);
  await assert.rejects(signInWithSecondFactor(grace.username, 'Wrong-password-1', unasked), refused);
  await assert.rejects(signInWithSecondFactor('nobody', 'Wrong-password-1', unasked), refused);
});
