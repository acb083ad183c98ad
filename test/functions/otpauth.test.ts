// Separate from enroll.test.ts because each case needs its own deployment and configuration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSync } from 'otplib';
import { assertProblem, challengeFor, clientOf, signIn, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { scanned } from '../support/picture.ts';
import { serviceForTests } from '../support/service.ts';

for (const { algorithm, digits, period, issuer } of [
  { algorithm: 'SHA256', digits: 8, period: 60, issuer: 'Ada & Co' },
  { algorithm: 'SHA512', digits: 6, period: 30, issuer: 'Übung' },
] as const) {
  test(`${algorithm}, ${digits} digits, ${period} seconds: the QR code and the accepted codes follow the configuration`, async () => {
    const service = await serviceForTests({ totp: { algorithm, digits, period, issuer } });
    const client = clientOf(service);
    const person = await createPerson(service);
    const { access } = await signIn(client, person);
    const enrolled = await client.post('/v1/totp/enroll', { password: person.password }, access);
    assert.equal(enrolled.status, 201);
    const uri = scanned(text(enrolled, 'qrSvg'));
    assert.equal(uri, text(enrolled, 'otpauthUri'));

    const { pathname, searchParams } = new URL(uri);
    const label = `/${encodeURIComponent(issuer)}:${person.username}`;
    assert.equal(pathname.replace(/^\/\/totp/, ''), label);
    assert.doesNotMatch(uri, /\+/, 'a space is %20');
    assert.deepEqual(Object.fromEntries(searchParams), {
      secret: text(enrolled, 'secret'),
      issuer,
      algorithm,
      digits: String(digits),
      period: String(period),
    });

    const hash = algorithm.toLowerCase() as 'sha256' | 'sha512';
    const codeNow = () =>
      generateSync({
        secret: searchParams.get('secret') ?? '',
        algorithm: hash,
        digits,
        period,
        epoch: service.clock.seconds(),
      });
    const code = codeNow();
    assert.equal(code.length, digits);
    const authenticatorId = text(enrolled, 'authenticatorId');
    const confirmed = await client.post('/v1/totp/confirm', { authenticatorId, code }, access);
    assert.equal(confirmed.status, 200);
    const answer = (proof: string) =>
      challengeFor(client, person).then((challengeToken) =>
        client.post('/v1/auth/verify', { challengeToken, code: proof }),
      );
    assertProblem(await answer(code), 401, 'code_rejected');
    service.clock.advance(period);
    assert.equal((await answer(codeNow())).status, 200);
  });
}
