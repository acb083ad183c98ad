import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Route, routes } from '../../functions/routes.ts';
import { readConfig } from '../../lib/config.ts';
import { pascalCase } from '../../lib/pascal-case.ts';
import { stageThrottle } from '../../lib/usage-plans.ts';
import { idOf, ofType, one, plain, synthesize } from './synthesize.ts';

interface Limit {
  RateLimit: number;
  BurstLimit: number;
}
interface Plan {
  Throttle: Limit;
  Quota?: { Limit: number; Period: string };
  ApiStages: { ApiId: string; Stage: string; Throttle: Record<string, Limit> }[];
}

const { api } = synthesize();
const { plans, clients } = readConfig({});
const table: [string, Route][] = Object.entries(routes);
const planOf = (name: string, template = api) =>
  plain(one(template, 'AWS::ApiGateway::UsagePlan', `Plans${pascalCase(name)}`).Properties) as Plan;

describe('each plan', () => {
  for (const [name, plan] of Object.entries(plans)) {
    test(`${name} limits each key over all operations`, () => {
      assert.deepEqual(planOf(name).Throttle, { RateLimit: plan.rate, BurstLimit: plan.burst });
      assert.equal(planOf(name).Quota, undefined);
    });

    for (const [operation, { method, path, guessable }] of table) {
      test(`${name} ${guessable ? 'limits further' : 'sets no further limit on'} ${operation}`, () => {
        const [stage] = planOf(name).ApiStages;
        assert.deepEqual(
          stage?.Throttle[`${path}/${method}`],
          guessable && { RateLimit: plan.guessableRate, BurstLimit: plan.guessableBurst },
        );
      });
    }

    test(`${name} is for this stage only`, () => {
      const { ApiStages } = planOf(name);
      assert.equal(ApiStages.length, 1);
      assert.equal(ApiStages[0]?.Stage, `<${idOf(api, 'AWS::ApiGateway::Stage', 'ApiDeploymentStageprod')}>`);
    });
  }
});

test('exactly these operations have a further limit: they take a code, a password or a refresh token', () => {
  const limited = table.filter(([, { guessable }]) => guessable).map(([operation]) => operation);
  assert.deepEqual(limited.sort(), [
    'confirm',
    'disable',
    'enroll',
    'login',
    'logout',
    'refresh',
    'rotate-backup-codes',
    'verify',
    'verify-login',
  ]);
});

test('the tiers differ: the limited plan is below the standard one in everything', () => {
  const { standard, limited } = plans;
  assert.ok(standard && limited);
  for (const field of ['rate', 'burst', 'guessableRate', 'guessableBurst'] as const) {
    assert.ok(limited[field] < standard[field], field);
  }
});

test('each key is on the plan of its client, and on no other', () => {
  const memberships = ofType(api, 'AWS::ApiGateway::UsagePlanKey').map(([, { Properties }]) =>
    plain(Properties),
  );
  const expected = Object.entries(clients).flatMap(([client, { plan, keys }]) =>
    keys.map((key) => ({
      KeyId: `<${idOf(api, 'AWS::ApiGateway::ApiKey', `Clients${pascalCase(`${client}-${key}`)}${plan}`)}>`,
      KeyType: 'API_KEY',
      UsagePlanId: `<${idOf(api, 'AWS::ApiGateway::UsagePlan', `Plans${pascalCase(plan)}`)}>`,
    })),
  );
  assert.deepEqual(memberships, expected);
});

const custom = synthesize({
  plans: {
    paid: { rate: 20, burst: 40, guessableRate: 2, guessableBurst: 4, quotaPerDay: 100_000 },
    free: { rate: 1, burst: 1, guessableRate: 1, guessableBurst: 1 },
  },
  clients: {
    web: { plan: 'paid', keys: ['2025', '2026'] },
    mobile: { plan: 'free', keys: ['first'] },
  },
}).api;

test('a configured quota is per day', () => {
  assert.deepEqual(planOf('paid', custom).Quota, { Limit: 100_000, Period: 'DAY' });
});

test('a client can have two keys at once, so that one can replace the other', () => {
  const { Environment } = one(custom, 'AWS::Lambda::Function', 'LoginFunction').Properties;
  const { Variables } = Environment as { Variables: Record<string, unknown> };
  assert.deepEqual(Object.values(JSON.parse(String(plain(Variables['CLIENTS'])))), ['web', 'web', 'mobile']);
});

test('adding a key or a client does not change the ids of other keys', () => {
  const ids = (clients: unknown) =>
    ofType(synthesize({ clients }).api, 'AWS::ApiGateway::ApiKey').map(([id]) => id);
  const before = ids({ web: { plan: 'standard', keys: ['b'] } });
  const after = ids({
    app: { plan: 'limited', keys: ['x'] },
    web: { plan: 'standard', keys: ['a', 'b'] },
  });
  assert.ok(before.every((id) => after.includes(id)));
});

test("changing a client's plan creates new keys, because one key would be in both plans for a while", () => {
  const ids = (plan: string, type: string) =>
    ofType(synthesize({ clients: { web: { plan, keys: ['a'] } } }).api, type).map(([id]) => id);
  for (const type of ['AWS::ApiGateway::ApiKey', 'AWS::ApiGateway::UsagePlanKey']) {
    assert.notDeepEqual(ids('standard', type), ids('limited', type));
  }
});

test('memberships are made one after the other', () => {
  const memberships = ofType(custom, 'AWS::ApiGateway::UsagePlanKey');
  assert.equal(memberships.length, 3);
  memberships.forEach(([, { DependsOn = [] }], i) => {
    const before = memberships[i - 1];
    assert.deepEqual(DependsOn, before ? [before[0]] : []);
  });
});

test('the stage takes what all keys may ask for, at least 200 a second, and no more than API Gateway does', () => {
  const plan = { rate: 300, burst: 700, guessableRate: 1, guessableBurst: 1 };
  const throttleOf = (keys: string[], given = plan) =>
    stageThrottle(readConfig({ plans: { one: given }, clients: { app: { plan: 'one', keys } } }));
  assert.deepEqual(stageThrottle(readConfig({})), { rate: 200, burst: 400 });
  assert.deepEqual(throttleOf(['a']), { rate: 300, burst: 700 });
  assert.deepEqual(throttleOf(['a', 'b']), { rate: 600, burst: 1400 });
  assert.deepEqual(throttleOf(['a', 'b'], { ...plan, rate: 9000, burst: 5000 }), {
    rate: 10_000,
    burst: 5000,
  });
});
