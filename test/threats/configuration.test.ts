// Unsafe configurations: synthesis refuses them, and so does each function when it starts.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { synthesize } from '../../local/synth.ts';
import { clientOf } from '../support/client.ts';
import { passwordSession } from '../support/cognito-sign-in.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';
import { trusting } from '../support/trusting.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-unsafe-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const tooEasy = { totp: { window: 2 } };

/** Trusts the deployment's own pool as an issuer in another realm, under the issuer name of this host. */
function ownPool(host: string) {
  return (given: Record<string, unknown>) => {
    const at = ['https://', host, '.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }, '/'];
    const issuer = [...at, given['USER_POOL_ID']];
    return trusting(given, { issuer, jwksUri: ['https://keys.example'], realm: 'partner' });
  };
}

/** Functions configured by hand after the synth, and the error each must report. */
const unsafe = {
  login: {
    alter: (given: Record<string, unknown>) => ({
      ...given,
      SETTINGS: JSON.stringify({ ...JSON.parse(String(given['SETTINGS'])), ...tooEasy }),
    }),
    said: /SETTINGS is unsafe: an attacker would guess a code in 0\.75 % of cases before a stop/,
    call: ['POST', '/v1/auth/login'],
  },
  status: {
    alter: ownPool('cognito-idp'),
    said: /TRUSTED_ISSUERS names an issuer twice, TRUSTED_ISSUERS has the pool's own issuer in another realm/,
    call: ['GET', '/v1/authenticators'],
  },
  enroll: {
    alter: ownPool('cognito-idp-fips'),
    said: /TRUSTED_ISSUERS has the pool's own issuer in another realm/,
    call: ['POST', '/v1/totp/enroll'],
  },
  verify: {
    alter: (given: Record<string, unknown>) =>
      trusting(given, { issuer: [given['ISSUER']], jwksUri: ['https://keys.example'], realm: 'partner' }),
    said: /TRUSTED_ISSUERS names the issuer of own tokens/,
    call: ['POST', '/v1/authenticators/verify'],
  },
  disable: {
    alter: (given: Record<string, unknown>) =>
      trusting(given, {
        issuer: ['https://idp.example'],
        jwksUri: ['https://idp.example/keys'],
        realm: 'users',
      }),
    said: /TRUSTED_ISSUERS has an issuer that is not the pool's in the pool's realm/,
    call: ['POST', '/v1/authenticators/disable'],
  },
} as const;

const pool = 'us-east-1_aBcDeFgHi';
const partner = {
  realm: 'partner',
  issuer: 'https://idp.example',
  jwksUri: 'https://idp.example/keys',
  clientIds: ['any'],
};
const issuerOfPool = `https://cognito-idp.us-east-1.amazonaws.com/${pool}`;
const refusedAtSynth: [configuration: Record<string, unknown>, fault: RegExp][] = [
  [tooEasy, /totp: given .*guess a code in 0\.75 % of cases/],
  [
    { userPool: { id: pool }, trustedIssuers: [{ ...partner, issuer: issuerOfPool }] },
    /trustedIssuers\.0\.issuer: given .*; allowed: another than the pool in userPool/,
  ],
  [
    { trustedIssuers: [partner, { ...partner, realm: 'second', issuer: 'https://IDP.example:443' }] },
    /trustedIssuers\.1\.issuer: given .*; allowed: an issuer not named before/,
  ],
  [{ enrollment: { requiredAfter: '2027-02-31' } }, /enrollment\.requiredAfter: given "2027-02-31"/],
];

test("an unsafe configuration is refused at synthesis and at a function's start", async () => {
  for (const [configuration, fault] of refusedAtSynth) {
    await assert.rejects(synthesize(join(folder, 'assembly'), configuration), fault);
  }

  const service = await serviceForTests(undefined, {
    variables: Object.fromEntries(Object.entries(unsafe).map(([operation, { alter }]) => [operation, alter])),
  });
  const client = clientOf(service);
  const person = await createPerson(service);
  const { access } = await passwordSession(service, person);
  for (const [operation, { said, call }] of Object.entries(unsafe)) {
    const [method, path] = call;
    const body = { username: person.username, password: person.password };
    const answer = await client.call(method, path, {
      bearer: access,
      ...(method === 'POST' && { body: operation === 'login' ? body : {} }),
    });
    assert.ok(answer.status >= 500, `${operation}: ${answer.status}`);
    const started = await service.invoke(operation, {});
    assert.ok(!started.ok, `${operation} does not start`);
    assert.match(started.error.errorMessage, said, operation);
    assert.doesNotMatch(
      started.error.errorMessage,
      /partner|amazonaws|idp\.example/,
      'the error repeats no value',
    );
  }
  assert.equal(await storedRecord(service, person), undefined);
  // The rest of the deployment is configured as before.
  assert.equal((await client.call('GET', '/.well-known/jwks.json')).status, 200);
});
