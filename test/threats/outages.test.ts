// AWS fails: nobody gets in, and nothing is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, challengeFor, clientOf, codeAt, signIn } from '../support/client.ts';
import '../support/native-powers.ts';
import { assertUnavailable, during } from '../support/faults.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { personWithWays, wayNames } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);

const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });

test('while KMS fails, nobody gets in on any path and nothing is written, and afterwards everything works again', async () => {
  const { person, ways, confirming, code, nextCode, backupCodes } = await personWithWays(service, client);
  const { confirm, secret } = await confirming({ code: code() });
  const { refresh: elsewhere } = await signIn(client, await createPerson(service));
  // All containers lose their cached keys. This sign-in then refills those of its own functions.
  service.clock.advance(301);
  assert.equal((await ways['verify-login']({ code: nextCode() })).status, 200);
  service.clock.advance(30);
  let before = await storedRecord(service, person);
  await during(service, 'error', ['Decrypt'], async () => {
    const answers = [await confirm(codeAt(secret, service.clock.seconds()))];
    for (const way of wayNames.filter((way) => way !== 'verify-login')) {
      answers.push(await ways[way]({ code: code() }));
    }
    for (const answer of answers) assertUnavailable(answer);
  });
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await ways.verify({ code: code() })).status, 200);

  // KMS unwraps no key, or only the signing key.
  for (const [fault, had] of [
    ['error', 0],
    ['throttle', 0],
    ['error', 1],
  ] as const) {
    service.clock.advance(301);
    const challenge = await challengeFor(client, person);
    before = await storedRecord(service, person);
    const asking = async () => {
      for (const proof of [{ code: code() }, { code: '000000' }, { backupCode: backupCodes[0] ?? '' }]) {
        assertUnavailable(await verify(challenge, proof));
      }
      assertUnavailable(await client.post('/v1/auth/refresh', { refreshToken: elsewhere }));
    };
    await during(service, fault, ['Decrypt'], asking, had);
    assert.deepEqual(await storedRecord(service, person), before, `${fault} after ${had}`);
    assert.equal((await verify(challenge, { code: code() })).status, 200);
  }
});

test('while DynamoDB fails, nobody gets in on any path and nothing changes, and afterwards everything works again', async () => {
  const { person, ways, confirming, code, nextCode, wrongCode, backupCodes } = await personWithWays(
    service,
    client,
  );
  const { confirm, secret } = await confirming({ code: code() });
  service.clock.advance(30);
  const challenge = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const pendingCode = () => codeAt(secret, service.clock.seconds());
  for (const [fault, operation] of [
    ['error', 'GetItem'],
    ['throttle', 'UpdateItem'],
  ] as const) {
    await during(service, fault, [operation], async () => {
      const answers = [
        await verify(challenge, { code: code() }),
        await verify(challenge, { code: wrongCode() }),
        await verify(challenge, { backupCode: backupCodes[0] ?? '' }),
        await confirm(pendingCode()),
        ...(await Promise.all(
          wayNames.filter((way) => way !== 'verify-login').map((way) => ways[way]({ code: code() })),
        )),
      ];
      for (const answer of answers) assertUnavailable(answer);
    });
    assert.deepEqual(await storedRecord(service, person), before, `${fault} at ${operation}`);
  }
  assert.equal((await ways['verify-login']({ code: nextCode() })).status, 200);
});

test("if a write's response is lost, the write stands: nothing is counted twice, nothing accepted twice", async () => {
  const { person, ways, code, wrongCode, backupCodes } = await personWithWays(service, client);
  const once = () => {
    let lost = false;
    service.setFault(({ operation }) => {
      if (lost || operation !== 'UpdateItem') return undefined;
      lost = true;
      return 'lose-answer';
    });
  };
  once();
  assertProblem(await ways.verify({ code: wrongCode() }), 401, 'code_rejected');
  assert.equal((await storedFactor(service, person)).failures, 1);
  once();
  assert.equal((await ways.verify({ backupCode: backupCodes[0] ?? '' })).status, 200);
  assert.equal((await storedFactor(service, person)).backupCodes?.digests.length, 9);
  once();
  const rotated = await ways['rotate-backup-codes']({ code: code() });
  service.setFault(undefined);
  assert.equal(rotated.status, 200);
  const [fresh = ''] = rotated.body['backupCodes'] as string[];
  assert.equal(
    (await ways.verify({ backupCode: fresh })).status,
    200,
    'the codes shown are the codes stored',
  );
  assertProblem(await ways.verify({ code: code() }), 401, 'code_rejected');
});
