import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fault } from '@countersign/local-aws/context';
import '../../support/native-powers.ts';
import { clientOf } from '../../support/client.ts';
import {
  answer,
  challenged,
  enrollFromCognito,
  password,
  triggerCallsDuring,
} from '../../support/cognito-sign-in.ts';
import { createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';

const service = await serviceForTests();
const person = await createPerson(service);
const { nextCode } = await enrollFromCognito(service, clientOf(service), person);

/** Plays the fault on that call of that trigger during `work`. Cognito would call a trigger again that takes too long. */
async function under<T>(
  fault: Fault,
  [trigger, operation, times = Number.POSITIVE_INFINITY]: [string, string, number?],
  work: () => Promise<T>,
): Promise<T> {
  let played = 0;
  service.setFault((call) => {
    const wanted = call.operation === operation && call.principal?.includes(`-Cognito${trigger}`);
    return wanted && played++ < times ? fault : undefined;
  });
  try {
    return await work();
  } finally {
    service.setFault(undefined);
    assert.equal(played, 2, 'one invocation sends the call twice');
  }
}

const faults: Fault[] = ['throttle', 'error', 'hang', 'lose-answer'];

describe('if the second factor cannot be read, nobody gets past it', () => {
  for (const fault of faults) {
    test(fault, () =>
      assert.rejects(
        under(fault, ['Define', 'GetItem'], () => password(service, person)),
        { name: 'NotAuthorizedException', message: 'Incorrect username or password.' },
      ),
    );
  }
});

describe('if a challenge cannot be created, its answer is refused and the next challenge works', () => {
  for (const fault of ['error', 'hang'] as const) {
    test(fault, async () => {
      const asked = await under(fault, ['Create', 'GetItem'], () => password(service, person));
      assert.ok(asked.kind === 'custom');
      assert.equal(asked.parameters['methods'], undefined);
      const code = nextCode();
      const again = await answer(asked.user, code);
      assert.ok(again.kind === 'custom');
      assert.equal(again.parameters['methods'], 'totp,backup_code');
      assert.equal((await answer(asked.user, code)).kind, 'session');
    });
  }
});

describe('an answer that cannot be checked is refused and not counted, and is accepted a moment later', () => {
  for (const [operation, played] of [
    ['GetItem', ['error', 'hang']],
    ['Decrypt', ['throttle', 'error', 'hang']],
    ['UpdateItem', ['throttle', 'error', 'hang']],
  ] as [string, Fault[]][]) {
    for (const fault of played) {
      test(`${operation}: ${fault}`, async () => {
        // Longer than a container caches the keys.
        service.clock.advance(301);
        const user = await challenged(service, person);
        const code = nextCode();
        const refused = await under(fault, ['Verify', operation], () => answer(user, code));
        assert.equal(refused.kind, 'custom');
        assert.equal((await answer(user, code)).kind, 'session');
      });
    }
  }
});

test('if the response to the write is lost once, the write stands and the user is signed in', async () => {
  const user = await challenged(service, person);
  const code = nextCode();
  const calls = await triggerCallsDuring(service, async () => {
    const signedIn = await under('lose-answer', ['Verify', 'UpdateItem', 1], () => answer(user, code));
    assert.equal(signedIn.kind, 'session');
  });
  assert.equal(calls.filter((call) => call === 'Verify: UpdateItem').length, 2);
});

test('if the response to the write is lost every time, the answer is refused and the code is spent', async () => {
  const user = await challenged(service, person);
  const code = nextCode();
  const refused = await under('lose-answer', ['Verify', 'UpdateItem'], () => answer(user, code));
  assert.equal(refused.kind, 'custom');
  assert.equal((await answer(user, code)).kind, 'custom');
});

test('if every call has to be sent twice, the trigger ends in time and the code is spent only if it was accepted', async () => {
  service.clock.advance(301);
  const user = await challenged(service, person);
  const code = nextCode();
  let calls = 0;
  service.setFault(({ principal }) =>
    principal?.includes('-CognitoVerify') && calls++ % 2 === 0 ? 'hang' : undefined,
  );
  const first = await answer(user, code).finally(() => service.setFault(undefined));
  // The keyring, a key, the record, the write: each twice at most, so one invocation. A second one would begin again.
  assert.ok(calls > 4 && calls <= 8, `${calls} calls`);
  if (first.kind !== 'session') assert.equal((await answer(user, code)).kind, 'session');
});
