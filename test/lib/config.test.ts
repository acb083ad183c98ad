import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../lib/config.ts';

function faultsOf(context: unknown): string[] {
  try {
    readConfig(context);
  } catch (error) {
    assert.ok(error instanceof Error);
    const [headline, ...faults] = error.message.split('\n  ');
    assert.match(headline ?? '', /"countersign" in the context of cdk\.json/);
    return faults;
  }
  return [];
}

const trusted = { realm: 'partner', issuer: 'https://idp.example', jwksUri: 'https://idp.example/keys' };
const pool = 'eu-west-1_aBcDeFgHi';
const ofPool = {
  realm: 'partner',
  issuer: `https://cognito-idp.eu-west-1.amazonaws.com/${pool}`,
  jwksUri: `https://cognito-idp.eu-west-1.amazonaws.com/${pool}/.well-known/jwks.json`,
  clientIds: ['a'],
};
const plan = { rate: 10, burst: 20, guessableRate: 1, guessableBurst: 2 };

test('an empty configuration is complete', () => {
  const config = readConfig(undefined);
  assert.deepEqual(config, readConfig({}));
  assert.deepEqual(Object.keys(config.plans), ['standard', 'limited']);
  assert.deepEqual(config.clients, {
    app: { plan: 'standard', keys: ['first'] },
    trial: { plan: 'limited', keys: ['first'] },
  });
  assert.equal(config.removal, 'retain');
  assert.equal(config.userPool, undefined);
});

test('names that would give two constructs the same id are refused', () => {
  const app = { plan: 'standard', keys: ['first'] };
  assert.deepEqual(faultsOf({ clients: { app, App: app } }), [
    'clients: given "App, first"; allowed: a name that differs from app, first by more than capitals and -',
  ]);
  assert.deepEqual(
    faultsOf({
      clients: { 'a-b': { plan: 'standard', keys: ['c'] }, a: { plan: 'standard', keys: ['b-c'] } },
    }),
    ['clients: given "a, b-c"; allowed: a name that differs from a-b, c by more than capitals and -'],
  );
  assert.deepEqual(faultsOf({ plans: { one: plan, One: plan }, clients: {} }), [
    'plans: given "One"; allowed: a name that differs from one by more than capitals and -',
  ]);
});

test('enrollment is optional, or required from a date or after a number of days', () => {
  assert.equal(readConfig({}).enrollment, 'optional');
  for (const enrollment of ['optional', { requiredAfter: '2027-01-31' }, { requiredAfterDays: 14 }]) {
    assert.deepEqual(readConfig({ enrollment }).enrollment, enrollment);
  }
});

test('every fault is listed at once: unknown names, wrong values and conflicting settings', () => {
  assert.equal(
    faultsOf({
      nmae: 'x',
      isuer: 'x',
      totp: { perod: 1, period: 400 },
      limits: { lockAfter: 20, stopAfter: 5 },
    }).length,
    5,
  );
});

describe('the fault of a wrong setting names it, the given value and the allowed ones', () => {
  const cases: [title: string, given: unknown, fault: string | RegExp][] = [
    [
      'an unknown name',
      { totp: { perod: 30 } },
      'totp.perod: no such setting; allowed: an object of issuer, algorithm, digits, period, window, authenticators',
    ],
    [
      'an unknown name at the top',
      { isuer: 'x' },
      /^isuer: no such setting; allowed: an object of .*, issuer,/,
    ],
    ['one of a few', { totp: { digits: 7 } }, 'totp.digits: given 7; allowed: (6 | 8)'],
    [
      'a number out of range',
      { totp: { period: 400 } },
      'totp.period: given 400; allowed: a whole number from 15 to 120',
    ],
    [
      'a grace that is too long',
      { lifetimes: { refreshGrace: 61 } },
      'lifetimes.refreshGrace: given 61; allowed: a whole number from 0 to 60',
    ],
    ['a fraction', { memory: 512.5 }, 'memory: given 512.5; allowed: a whole number from 128 to 10240'],
    ['a text for a number', { memory: '512' }, /^memory: given "512"; allowed: a whole number/],
    ['a text instead of a boolean', { cloudWatchRole: 'no' }, 'cloudWatchRole: given "no"; allowed: boolean'],
    [
      'a value in none of several forms',
      { enrollment: 'always' },
      'enrollment: given "always"; allowed: "optional", {"requiredAfter": "2027-01-31"} or {"requiredAfterDays": 14}',
    ],
    [
      'a value inside one of several forms',
      { enrollment: { requiredAfterDays: -1 } },
      'enrollment.requiredAfterDays: given -1; allowed: a whole number from 0 to 365',
    ],
    [
      'a text that is not a date',
      { enrollment: { requiredAfter: 'soon' } },
      'enrollment.requiredAfter: given "soon"; allowed: a date: 2027-01-31',
    ],
    [
      'a day that does not exist',
      { enrollment: { requiredAfter: '2027-02-31' } },
      'enrollment.requiredAfter: given "2027-02-31"; allowed: a date: 2027-01-31',
    ],
    [
      'an attribute that no client may write',
      { userPool: { id: pool, writableAttributes: ['email_verified'] } },
      'userPool.writableAttributes.0: given "email_verified"; allowed: an attribute that a client may write: email, phone_number, custom:tier',
    ],
    ['a malformed realm', { realm: 'Users' }, /^realm: given "Users"; allowed: a realm is/],
    ['a colon in the label', { totp: { issuer: 'a:b' } }, /^totp\.issuer: given "a:b"; allowed: no colon/],
    [
      'a missing value',
      { plans: { standard: { rate: 1, burst: 1, guessableRate: 1 } }, clients: {} },
      'plans.standard.guessableBurst: is missing; needed: an object of rate, burst, guessableRate, guessableBurst, quotaPerDay',
    ],
    [
      'a malformed name of a plan',
      { plans: { 'a b': plan }, clients: {} },
      'plans.a b: given "a b"; allowed: 1 to 32 letters, digits and -',
    ],
    ['a text instead of everything', 'Countersign', /^: given "Countersign"; allowed: an object of realm,/],
  ];
  for (const [title, given, fault] of cases) {
    test(title, () => {
      const faults = faultsOf(given);
      assert.equal(faults.length, 1, faults.join('\n'));
      if (typeof fault === 'string') assert.equal(faults[0], fault);
      else assert.match(faults[0] ?? '', fault);
    });
  }
});

describe('conflicting settings are refused', () => {
  const cases: [title: string, given: unknown, at: string][] = [
    ['a stop before the first lock', { limits: { lockAfter: 10, stopAfter: 5 } }, 'limits.stopAfter'],
    [
      'a refresh token that ends before its access token',
      { lifetimes: { accessToken: 3600, refreshToken: 300 } },
      'lifetimes.refreshToken',
    ],
    ['a plan that does not exist', { clients: { app: { plan: 'gold', keys: ['a'] } } }, 'clients.app.plan'],
    ['a key twice', { clients: { app: { plan: 'standard', keys: ['a', 'a'] } } }, 'clients.app.keys.1'],
    [
      'guesses faster than the plan',
      { plans: { p: { ...plan, guessableRate: 11 } }, clients: {} },
      'plans.p.guessableRate',
    ],
    ['an origin twice', { cors: { origins: ['https://a.example', 'https://a.example'] } }, 'cors.origins.1'],
    [
      'the realm of our own users',
      { trustedIssuers: [{ ...trusted, realm: 'users', clientIds: ['a'] }] },
      'trustedIssuers.0.realm',
    ],
    [
      'a realm of two issuers',
      {
        trustedIssuers: [
          { ...trusted, clientIds: ['a'] },
          { ...trusted, issuer: 'https://b.example', clientIds: ['a'] },
        ],
      },
      'trustedIssuers.1.realm',
    ],
    [
      'an issuer that is trusted already',
      {
        trustedIssuers: [
          { ...trusted, clientIds: ['a'] },
          { ...trusted, realm: 'another', issuer: 'https://IDP.example:443', clientIds: ['a'] },
        ],
      },
      'trustedIssuers.1.issuer',
    ],
    [
      'our own issuer as a trusted one',
      { issuer: 'https://Idp.example', trustedIssuers: [{ ...trusted, clientIds: ['a'] }] },
      'trustedIssuers.0.issuer',
    ],
    [
      'a former issuer of ours as a trusted one',
      { formerIssuers: ['https://idp.example:443'], trustedIssuers: [{ ...trusted, clientIds: ['a'] }] },
      'trustedIssuers.0.issuer',
    ],
    [
      'the pool itself as a trusted issuer',
      { userPool: { id: pool }, trustedIssuers: [{ ...ofPool, jwksUri: 'https://keys.example' }] },
      'trustedIssuers.0.issuer',
    ],
    [
      'the pool under the other name of its issuer',
      {
        userPool: { id: pool },
        trustedIssuers: [
          {
            ...ofPool,
            issuer: `https://issuer-cognito-idp.eu-west-1.amazonaws.com/${pool}`,
            jwksUri: 'https://keys.example',
          },
        ],
      },
      'trustedIssuers.0.issuer',
    ],
    [
      "the pool's keys for another issuer",
      { userPool: { id: pool }, trustedIssuers: [{ ...ofPool, issuer: 'https://idp.example' }] },
      'trustedIssuers.0.jwksUri',
    ],
    ['codes that are guessed too easily', { totp: { window: 2 } }, 'totp'],
    [
      'a former issuer twice',
      { formerIssuers: ['https://a.example', 'https://A.example'] },
      'formerIssuers.1',
    ],
    ['a trusted issuer without an audience', { trustedIssuers: [trusted] }, 'trustedIssuers.0.audience'],
    [
      'a former issuer that is the current one',
      { issuer: 'https://a.example', formerIssuers: ['https://a.example'] },
      'formerIssuers.0',
    ],
  ];
  for (const [title, given, at] of cases) {
    test(title, () => {
      const faults = faultsOf(given);
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.ok(faults[0]?.startsWith(`${at}: given `), faults[0]);
    });
  }
});

test('a setting that is gone says so, and what is so instead', () => {
  assert.deepEqual(faultsOf({ stage: 'v1', throttle: { rate: 1, burst: 1 } }), [
    'stage: is no longer a setting: the stage is prod',
    'throttle: is no longer a setting: every operation takes what the plans of all API keys come to, and at least 200 a second',
  ]);
  assert.deepEqual(faultsOf({ lifetimes: { keyHold: 60 } }), [
    'lifetimes.keyHold: is no longer a setting: functions cache keys for 300 seconds',
  ]);
  assert.deepEqual(faultsOf({ limits: { lockSecondsMost: 600, stopWithin30Days: 200 } }), [
    'limits.lockSecondsMost: is no longer a setting: the longest lock is 900 seconds, or limits.lockSeconds if that is more',
    'limits.stopWithin30Days: is no longer a setting: 300 wrong codes within 30 days stop codes',
  ]);
});

test('how easy guessing would be is told with its number, and what to do', () => {
  assert.deepEqual(faultsOf({ totp: { window: 2 } }), [
    'totp: given {"issuer":"Countersign","algorithm":"SHA1","digits":6,"period":30,"window":2,"authenticators":5}; allowed: an attacker would guess a code in 0.75 % of cases before a stop; at most 0.5 % is allowed. Lower totp.authenticators or totp.window, or set totp.digits to 8.',
  ]);
});

test('another pool than our own may be trusted', () => {
  const { trustedIssuers } = readConfig({ userPool: { id: `${pool}X` }, trustedIssuers: [ofPool] });
  assert.equal(trustedIssuers.length, 1);
});

test('an issuer uses https, or http on localhost, and has no slash at its end', () => {
  for (const issuer of ['https://id.example', 'https://id.example/a', 'http://localhost:3000']) {
    assert.equal(readConfig({ issuer }).issuer, issuer);
  }
  for (const issuer of [
    'http://id.example',
    'https://id.example/',
    'https://u:p@id.example',
    'https://id.example?a',
    'id.example',
  ]) {
    assert.match(faultsOf({ issuer })[0] ?? '', /^issuer: given /);
  }
});

test('an origin is scheme, host and port, as a browser sends it', () => {
  for (const origin of ['https://app.example', 'http://localhost:5173']) {
    assert.deepEqual(readConfig({ cors: { origins: [origin] } }).cors.origins, [origin]);
  }
  for (const origin of [
    '*',
    'https://app.example/',
    'https://App.example',
    'app.example',
    'https://app.example:443',
  ]) {
    assert.match(faultsOf({ cors: { origins: [origin] } })[0] ?? '', /^cors\.origins\.0: given /);
  }
});
