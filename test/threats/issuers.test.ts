// Attacks with a trusted issuer's tokens, and on resource servers that read our own tokens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { type Answer, assertProblem, clientOf, codeAt, signIn, text } from '../support/client.ts';
import { signingKeyOf } from '../support/operator-keys.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedItem, storedRecord } from '../support/stored.ts';
import { placesOf } from '../support/token-places.ts';
import { startTrustedIssuer } from '../support/trusted-issuer.ts';
import { enrolledPerson, nextStep } from '../support/ways.ts';

const partners = await startTrustedIssuer();
const service = await serviceForTests(
  { ...unthrottled, trustedIssuers: [partners.trusted] },
  // One container per function, because each container caches its own key sets.
  { environments: 1 },
);
const client = clientOf(service);
const other = clientOf(service, service.local.limitedApiKey);
const status = (bearer: string) => client.get('/v1/authenticators', bearer);
const now = () => service.clock.seconds();

/** Enrolls a user of the trusted issuer with this `sub`, using a token of that issuer. */
async function enrolledPartner(sub: string) {
  const bearer = await partners.token(sub, now());
  const pending = await client.post('/v1/totp/enroll', {}, bearer);
  const code = () => codeAt(text(pending, 'secret'), now());
  const authenticatorId = text(pending, 'authenticatorId');
  const confirmed = await client.post('/v1/totp/confirm', { authenticatorId, code: code() }, bearer);
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  // The issuer's tokens from the two seconds after a change are void here.
  service.clock.advance(3);
  nextStep(service);
  return { authenticatorId, code, bearer: () => partners.token(sub, now()) };
}

const authenticatorsOf = (answer: Answer) =>
  (answer.body['authenticators'] as { id: string }[]).map(({ id }) => id);

test("no two realms' users share iss and sub in tokens", async () => {
  const home = await enrolledPerson(service, client);
  const { sub } = home.person;
  const partner = await enrolledPartner(sub);
  const before = await storedRecord(service, home.person);

  const steppedUp = await client.post(
    '/v1/authenticators/verify',
    { code: partner.code() },
    await partner.bearer(),
  );
  assert.equal(steppedUp.status, 200, JSON.stringify(steppedUp.body));
  const theirs = text(steppedUp, 'accessToken');
  const [ours, foreign] = [decodeJwt(home.access), decodeJwt(theirs)];
  assert.deepEqual([foreign.iss, foreign.aud, foreign['acr']], [ours.iss, ours.aud, ours['acr']]);
  assert.deepEqual([ours.sub, ours['realm']], [sub, 'users']);
  assert.deepEqual([foreign.sub, foreign['realm']], [`partners|${sub}`, 'partners']);

  // They are two users here, too.
  assert.deepEqual(authenticatorsOf(await status(theirs)), [partner.authenticatorId]);
  assert.deepEqual(authenticatorsOf(await status(home.access)), [home.authenticatorId]);
  assert.deepEqual(await storedRecord(service, home.person), before);
  assert.ok(await storedItem(service, `USER#partners#${sub}`));

  // A sub that does not fit its realm names no user, even if our key signed it.
  const signing = await signingKeyOf(service);
  const header = { ...decodeProtectedHeader(home.access), alg: 'RS256' };
  for (const [claims, change] of [
    [ours, { sub: `partners|${sub}` }],
    [ours, { realm: 'partners' }],
    [foreign, { sub }],
    [foreign, { realm: 'users' }],
    [foreign, { realm: 'partner' }],
  ] as const) {
    const odd = await new SignJWT({ ...claims, ...change })
      .setProtectedHeader(header)
      .sign(signing.privateKey);
    assertProblem(await status(odd), 401, 'token_invalid');
  }
  const again = await new SignJWT(foreign).setProtectedHeader(header).sign(signing.privateKey);
  assert.equal((await status(again)).status, 200, 'the refusals above were for the sub');
});

test('an access token works only with an API key of its own client', async () => {
  const { person, access, code } = await enrolledPerson(service, client);
  const before = await storedRecord(service, person);
  await placesOf(other).access(access, code());
  assert.deepEqual(await storedRecord(service, person), before, 'no attempt is spent');
  assert.equal((await status(access)).status, 200);

  const steppedUp = await client.post('/v1/authenticators/verify', { code: code() }, access);
  await placesOf(other).access(text(steppedUp, 'accessToken'), code());

  const own = await signIn(other, await createPerson(service));
  assertProblem(await status(own.access), 401, 'token_invalid');
  assert.equal((await other.get('/v1/authenticators', own.access)).status, 200);

  // A trusted issuer knows nothing of these clients, so its tokens work with any key.
  // A step-up issues an own token, which does not.
  const partner = await enrolledPartner('somebody');
  assert.equal((await other.get('/v1/authenticators', await partner.bearer())).status, 200);
  const theirs = await other.post(
    '/v1/authenticators/verify',
    { code: partner.code() },
    await partner.bearer(),
  );
  assert.equal(theirs.status, 200, JSON.stringify(theirs.body));
  assertProblem(await status(text(theirs, 'accessToken')), 401, 'token_invalid');
  assert.equal((await other.get('/v1/authenticators', text(theirs, 'accessToken'))).status, 200);
});

test("if a trusted issuer's keys cannot be fetched, it is asked once in 30 seconds, not once per token", async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const asked = async (work: () => Promise<unknown>) => {
    const before = partners.asked();
    await work();
    return partners.asked() - before;
  };
  const assertAway = async (bearer: string) => {
    const answer = await status(bearer);
    assertProblem(answer, 503, 'temporarily_unavailable');
    const seconds = Number(answer.headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 30, String(seconds));
  };
  const assertAccepted = async (bearer: string) => assert.equal((await status(bearer)).status, 200);
  /** Sends tokens signed with a stranger's key under unknown key ids, one alone and then ten at once. */
  const flood = async () => {
    await assertAway(await partners.forged('somebody', now(), 'unknown'));
    const tokens = Array.from({ length: 10 }, (_, index) =>
      partners.forged('somebody', now(), `made-up-${index}`),
    );
    await Promise.all(tokens.map(async (token) => assertAway(await token)));
    await assertAccepted(access);
  };

  // The tests before this one fetched the keys, or this request does. From here on they are cached.
  await assertAccepted(await partners.token('somebody', now()));
  for (const mode of ['hang', 'error', 'nonsense', 'no key set', 'moved'] as const) {
    partners.answer(mode);
    service.clock.advance(30);
    assert.equal(await asked(flood), 1, mode);
    // Tokens that verify with cached keys keep working.
    // Refusing a forged token with a known key id needs no fetch.
    assert.equal(await asked(async () => assertAccepted(await partners.token('somebody', now()))), 0, mode);
    const forged = await partners.forged('somebody', now());
    assert.equal(await asked(async () => assertProblem(await status(forged), 401, 'token_invalid')), 0, mode);
  }
  // Cached keys stay usable after the ten minutes that trigger the next fetch.
  service.clock.advance(900);
  const held = async () => {
    for (let count = 0; count < 5; count++) await assertAccepted(await partners.token('somebody', now()));
  };
  assert.equal(await asked(held), 1);
  // But not forever: an outage must not keep a key alive that the issuer has withdrawn.
  service.clock.advance(3600);
  assert.equal(
    await asked(async () => {
      for (let count = 0; count < 5; count++) await assertAway(await partners.token('somebody', now()));
    }),
    1,
  );

  partners.answer('keys');
  service.clock.advance(30);
  assert.equal(await asked(held), 1);
  assert.equal((await storedFactor(service, { sub: person.sub })).failures, 0);
});
