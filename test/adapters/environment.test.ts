import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { readEnvironment } from '../../adapters/environment.ts';

const given = { TABLE_NAME: 'records', SETTINGS: '{"realm":"users"}', CLIENTS: '{"key-1":"web"}' };
const names = ['TABLE_NAME', 'SETTINGS', 'CLIENTS'] as const;
beforeEach(() => void Object.assign(process.env, given));
afterEach(() => {
  for (const name of names) delete process.env[name];
});

test('what is named is read, parsed once, with its defaults', () => {
  const { TABLE_NAME, SETTINGS, CLIENTS } = readEnvironment(...names);
  assert.deepEqual([TABLE_NAME, SETTINGS.totp.period, CLIENTS], ['records', 30, { 'key-1': 'web' }]);
});

test('every missing and malformed name is told at once, without any value', () => {
  process.env['CLIENTS'] = '{"secret-value":';
  delete process.env['TABLE_NAME'];
  process.env['SETTINGS'] = '{"unknown":"secret-value"}';
  assert.throws(
    () => readEnvironment(...names),
    (error: Error) => {
      assert.equal(
        error.message,
        'Environment: TABLE_NAME is missing, SETTINGS is malformed, CLIENTS is malformed.',
      );
      return true;
    },
  );
});

test('by default all are wanted', () => {
  assert.throws(
    () => readEnvironment(),
    /KEYRING_KEY_ARN is missing.*ISSUER is missing.*USER_POOL_ID is missing/,
  );
});

const POOL = 'eu-west-1_aBcDeFgHi';
const hosts = ['cognito-idp', 'issuer-cognito-idp'].map(
  (host) => `https://${host}.eu-west-1.amazonaws.com/${POOL}`,
);
const trustedAs = (realm: string, issuer: string, jwksUri = `${issuer}/.well-known/jwks.json`) => ({
  issuer,
  jwksUri,
  realm,
  algorithms: ['RS256'],
  clientIds: ['their-client'],
  accountClaim: 'sub',
});
const ofPool = hosts.map((issuer) => trustedAs('users', issuer));
const whole: Record<string, string> = {
  ...given,
  AWS_REGION: 'eu-west-1',
  KEYRING_KEY_ARN: 'arn:of-the-key',
  KEYRING_STACK: 'Stack',
  ISSUER: 'https://id.example/prod',
  FORMER_ISSUERS: '["https://old.example"]',
  CORS_ORIGINS: '[]',
  TRUSTED_ISSUERS: JSON.stringify(ofPool),
  USER_POOL_ID: POOL,
  LOGIN_CLIENT_ID: 'login',
};

/** What is said of the whole environment with these variables in it; undefined where it is read. */
function faultWith(variables: Record<string, string>): string | undefined {
  const before = { ...process.env };
  Object.assign(process.env, whole, variables);
  try {
    readEnvironment();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    process.env = before;
  }
}
const faultWithTrusted = (...trusted: object[]) =>
  faultWith({ TRUSTED_ISSUERS: JSON.stringify([...ofPool, ...trusted]) });

test("the pool's two issuers share the home realm, others have one each", () => {
  const partners = ['one', 'two'].map((realm) => trustedAs(realm, `https://${realm}.example`));
  assert.equal(faultWithTrusted(...partners), undefined);
  assert.equal(faultWith({ TRUSTED_ISSUERS: '[]' }), undefined);
});

const mixUps: [what: string, trusted: object[], fault: string][] = [
  [
    'an issuer twice',
    [trustedAs('one', 'https://idp.example'), trustedAs('two', 'https://IDP.example:443/')],
    'names an issuer twice',
  ],
  ['our own issuer', [trustedAs('one', 'https://ID.example/prod/')], 'names the issuer of own tokens'],
  ['our former issuer', [trustedAs('one', 'https://old.example')], 'names the issuer of own tokens'],
  [
    "another issuer in the pool's realm",
    [trustedAs('users', 'https://idp.example')],
    "has an issuer that is not the pool's in the pool's realm",
  ],
  [
    'the pool by a third name in another realm',
    [trustedAs('one', `https://cognito-idp-fips.eu-west-1.amazonaws.com/${POOL}`)],
    "has the pool's own issuer in another realm",
  ],
  [
    "the pool's keys for another issuer",
    [trustedAs('one', 'https://idp.example', `${hosts[0]}/.well-known/jwks.json`)],
    "has the pool's own issuer in another realm",
  ],
  [
    'two issuers in one realm',
    [trustedAs('one', 'https://idp.example'), trustedAs('one', 'https://idp-2.example')],
    'has two issuers in one realm',
  ],
];
for (const [what, trusted, fault] of mixUps) {
  test(`no function starts with ${what}`, () => {
    assert.equal(faultWithTrusted(...trusted), `Environment: TRUSTED_ISSUERS ${fault}.`);
  });
}

test("no function starts with the pool's own issuer trusted in another realm", () => {
  for (const issuer of hosts) {
    const fault = faultWithTrusted(trustedAs('partner', issuer));
    assert.match(fault ?? '', /names an issuer twice, .*has the pool's own issuer in another realm\.$/);
    assert.doesNotMatch(fault ?? '', /partner|amazonaws|aBcDeFgHi/, 'no value is told');
  }
});

test('no function starts with limits that let somebody guess for long, and the refusal has the number', () => {
  const settings = JSON.stringify({
    realm: 'secret-value',
    totp: { window: 2 },
  });
  const fault = faultWith({ SETTINGS: settings });
  assert.match(
    fault ?? '',
    /^Environment: SETTINGS is unsafe: an attacker would guess a code in 0\.75 % of cases before a stop/,
  );
  assert.doesNotMatch(fault ?? '', /secret-value/);
});
