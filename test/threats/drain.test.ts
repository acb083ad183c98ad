// A stranger with a client's public API key drains that key's bucket.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem, clientOf, signIn } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

/** Refills so slowly that the test's own running time does not matter. */
const plan = { rate: 0.1, burst: 5, guessableRate: 0.1, guessableBurst: 5 };
const service = await serviceForTests({
  plans: { standard: plan, limited: plan },
  firewall: { requestsPerAddress: 1000, guessablePerAddress: 100 },
});
const stranger = clientOf(service);
const other = clientOf(service, service.local.limitedApiKey);

test("refused bodies drain the bucket of their client's key and no other client's", async () => {
  const person = await createPerson(service);
  let refused = 0;
  let answer = await stranger.call('POST', '/v1/auth/login', { body: '{' });
  for (; answer.status === 400 && refused < 50; refused++) {
    assertProblem(answer, 400, 'invalid_json');
    answer = await stranger.call('POST', '/v1/auth/login', { body: '{' });
  }
  assertProblem(answer, 429, 'throttled');
  assert.ok(refused >= plan.burst);
  const body = { username: person.username, password: person.password };
  assertProblem(await stranger.post('/v1/auth/login', body), 429, 'throttled');
  await signIn(other, person);
  // The bucket refills by itself, whatever was refused meanwhile.
  service.clock.advance(10);
  await signIn(stranger, person);
});

test('a configured firewall limits each address, over all requests and over those that carry guesses', () => {
  const [file = ''] = globSync(join(service.assembly, '*Api.template.json'));
  const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  const of = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type);
  const [acl, ...more] = of('AWS::WAFv2::WebACL');
  assert.deepEqual(more, []);
  const rules = acl?.Properties['Rules'] as {
    Action: object;
    Statement: { RateBasedStatement: { AggregateKeyType: string; Limit: number } };
  }[];
  assert.deepEqual(
    rules.map(({ Action, Statement: { RateBasedStatement: rate } }) => [
      Action,
      rate.AggregateKeyType,
      rate.Limit,
    ]),
    [
      [{ Block: {} }, 'IP', 1000],
      [{ Block: {} }, 'IP', 100],
    ],
  );
  const [association] = of('AWS::WAFv2::WebACLAssociation');
  assert.match(JSON.stringify(association?.Properties['ResourceArn']), /restapis.*stages/);
});
