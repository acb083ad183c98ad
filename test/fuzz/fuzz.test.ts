/**
 * Sends requests of every form to every operation over HTTP. Every answer must follow the contract, and a
 * request refused as malformed must change nothing. It sends 10,000 requests. `npm run test:fuzz -- --inputs 100000`
 * sends as many as you want.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { requests } from '../../functions/contract/requests.ts';
import { routes } from '../../functions/routes.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { inputs } from './inputs.ts';
import { createTransport } from './request.ts';
import { createSender, type Met } from './sender.ts';

const amount = Number(process.env['FUZZ_INPUTS'] ?? 10_000);
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const SENDERS = 6;

/** Late and short locks, and tokens that live as long as it takes: what is tested is not the limits. */
const patient = {
  totp: { authenticators: 2 },
  limits: { lockAfter: 20, lockSeconds: 1 },
  lifetimes: { accessToken: 3600, challenge: 600, enrollment: 3600, recentSignIn: 3600 },
};
const service = await serviceForTests({ ...patient, ...unthrottled }, { environments: 1 });
const transport = createTransport(service.url, SENDERS);
after(transport.close);
const met: Met = new Map();

test(`${amount} requests, seed ${seed}: never a fault, never an answer outside the contract`, async () => {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: SENDERS }, async (_, index) => {
      const send = await createSender(service, transport, met);
      await fc.assert(fc.asyncProperty(inputs, send), {
        seed: seed + index,
        numRuns: Math.ceil(amount / SENDERS),
      });
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const sent = [...met.values()].reduce((sum, count) => sum + count, 0);
  console.log(`fuzz: ${sent} requests in ${seconds.toFixed(1)} s, ${met.size} different answers`);
  assert.ok(sent >= amount);
});

// Some answers are so rare that they need the full number of requests.
if (amount >= 10_000) {
  test('the requests reach every operation and every kind of malformed body', () => {
    for (const operation of Object.keys(routes)) assert.ok(met.has(`${operation} ok`), `no ${operation} ok`);
    for (const operation of Object.keys(requests)) {
      for (const code of ['invalid_json', 'invalid_request', 'body_too_large', 'unsupported_media_type'])
        assert.ok(met.has(`${operation} ${code}`), `no ${operation} ${code}`);
    }
  });
}
