import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELD } from '../../adapters/sweep-store.ts';
import { adminReset } from '../../core/admin.ts';
import { enroll } from '../../core/enroll.ts';
import { unavailable } from '../../core/error.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, enrolled, enrolledByTicket, NOW } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';
import { accepted, LATER, swept } from '../support/swept.ts';

const DAY = 86_400;

test('with one key of each kind there is nothing to do', async () => {
  const { deployment, run, store } = swept();
  await enrolled(deployment);
  const { outcome, seen } = await run(NOW);
  assert.deepEqual([outcome, seen, store.job().endedAt], ['idle', 0, 0]);
});

test('every secret, of pending enrollments too, is sealed under the new key; nothing else of a record changes', async () => {
  const { deployment, run, inUse } = swept();
  const people = [];
  for (const name of ['ada', 'bob', 'cyd']) people.push(await enrolled(deployment, name));
  const [ada] = people;
  assert.ok(ada);
  const proof = { code: ada.app.codeAt(NOW) };
  await enroll(deployment, { caller: ada.caller, name: 'Waiting', proof, client: CLIENT, now: NOW });
  const before = deployment.records.all();
  const { id } = deployment.keyring.rotate('data', NOW);

  const result = await run(LATER);
  assert.deepEqual([result.outcome, result.seen, result.resealed], ['finished', 3, 3]);
  assert.deepEqual([...inUse()], [id]);
  const without = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, member) => (key === 'secret' ? undefined : member)));
  assert.deepEqual(without(deployment.records.all()), without(before));
  for (const person of people) await accepted(deployment, person, LATER);
});

test('a data key that no record uses is retired by the second sweep, a day later, and none sooner', async () => {
  const { deployment, run, dataKeys } = swept();
  await enrolled(deployment);
  const { id } = deployment.keyring.rotate('data', NOW);
  assert.deepEqual((await run(LATER)).retired, []);
  assert.equal((await run(LATER + DAY - 1)).outcome, 'idle');
  assert.equal(dataKeys().length, 2);
  assert.deepEqual((await run(LATER + DAY)).retired, ['data-0']);
  assert.deepEqual(dataKeys(), [id]);
});

test('a key is not retired while some container may still seal with it', async () => {
  const { deployment, run, dataKeys } = swept();
  deployment.keyring.rotate('data', NOW);
  await run(NOW + 300);
  assert.equal(dataKeys().length, 2);
});

for (const where of ['an authenticator', 'a pending enrollment'] as const) {
  test(`a key whose secret cannot be sealed anew is in use, and stays: in ${where}`, async () => {
    const { deployment, run, dataKeys } = swept();
    const { caller } = await enrolled(deployment);
    const factor = await deployment.records.read(caller.user);
    const [authenticator] = factor.authenticators;
    assert.ok(authenticator);
    const damaged = { ...authenticator, secret: { ...authenticator.secret, box: Buffer.alloc(60) } };
    deployment.records.put(caller.user, {
      ...factor,
      ...(where === 'an authenticator'
        ? { authenticators: [damaged] }
        : { authenticators: [], pending: { ...damaged, expiresAt: NOW, failures: 0 } }),
    });
    deployment.keyring.rotate('data', NOW);
    for (let day = 0; day < 4; day++) assert.deepEqual((await run(LATER + day * DAY)).retired, []);
    assert.equal(dataKeys().length, 2);
  });
}

test('a key of backup codes goes when no set uses it, and not before: codes cannot be digested anew', async () => {
  const { deployment, run } = swept();
  const { caller, app, backupCodes } = await enrolled(deployment);
  const old = deployment.keyring.keys('backup-code').map(({ id }) => id);
  const [backupCode = ''] = backupCodes;
  deployment.keyring.rotate('backup-code', NOW);
  const rotation = deployment.settings.keyRotationDays * DAY;
  for (let day = 0; day < 3; day++) {
    const { outcome, retired } = await run(LATER + day * DAY);
    // Nothing can be sealed anew: looking for it once in a rotation's time does.
    assert.deepEqual([outcome, retired], [day === 0 ? 'finished' : 'idle', []]);
  }
  assert.deepEqual((await run(LATER + rotation)).retired, []);
  const later = LATER + rotation + DAY;
  await verify(deployment, { caller, proof: { backupCode }, client: CLIENT, now: later });
  await rotateBackupCodes(deployment, { caller, code: app.codeAt(later), client: CLIENT, now: later });
  assert.deepEqual((await run(LATER + 2 * rotation)).retired, old);
});

test('the key of a ticket stays while the ticket is stored, so that its user can enroll', async () => {
  const { deployment, run } = swept();
  const { caller } = await enrolled(deployment);
  const old = deployment.keyring.keys('backup-code').map(({ id }) => id);
  const act = { by: 'arn:aws:iam::123456789012:user/support' };
  const { enrollmentTicket = assert.fail() } = await adminReset(deployment, caller.user, act, NOW);
  deployment.keyring.rotate('backup-code', NOW);
  const { outcome, retired } = await run(LATER);
  assert.deepEqual([outcome, retired], ['finished', []]);
  await enrolledByTicket(deployment, 'alice', enrollmentTicket, LATER);
  const rotation = deployment.settings.keyRotationDays * DAY;
  assert.deepEqual((await run(LATER + rotation)).retired, old);
});

test('stopped midway it goes on from there; no page is larger or comes sooner than it should', async () => {
  const { deployment, run, store } = swept(2);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await enrolled(deployment, name);
  deployment.keyring.rotate('data', NOW);
  let waits = 0;
  const after = (pages: number, now: number) => async () => (++waits < pages ? now : undefined);
  const first = await run(LATER, after(2, LATER));
  assert.deepEqual([first.outcome, first.seen, first.resealed, waits], ['paused', 4, 4, 2]);
  assert.ok(store.job().sweep?.cursor);
  waits = 0;
  const second = await run(LATER + 3600, after(9, LATER + 3600));
  assert.deepEqual([second.outcome, second.seen, second.resealed, waits], ['finished', 3, 3, 1]);
  // What the first run met is not forgotten: the old key is retired by a later sweep only.
  assert.deepEqual(second.retired, []);
  assert.deepEqual((await run(LATER + 3600 + DAY)).retired, ['data-0']);
});

test('a sweep whose end was not saved, and that nobody went on with, is not resumed long after', async () => {
  const { deployment, run, store, dataKeys } = swept();
  for (const name of ['a', 'b', 'c']) await enrolled(deployment, name);
  deployment.keyring.rotate('data', NOW);
  await run(LATER);
  const own = store.run();
  const unsaved: typeof own.save = async (job) => {
    if (!job.sweep) throw new Error('killed');
    return own.save(job);
  };
  await assert.rejects(run(LATER + DAY, undefined, { store: { ...own, save: unsaved } }));
  assert.equal(dataKeys().length, 1, 'the old key was retired');
  assert.equal((await run(LATER + DAY + 3600)).outcome, 'idle');

  deployment.keyring.rotate('data', LATER + 90 * DAY);
  const { seen, outcome } = await run(LATER + 91 * DAY);
  assert.deepEqual([seen, outcome], [3, 'finished'], 'every record is looked at anew');
});

test('a run that has lost the job by its last page retires no key', async () => {
  const { deployment, run, store, dataKeys } = swept();
  for (const name of ['a', 'b', 'c']) await enrolled(deployment, name);
  const { id } = deployment.keyring.rotate('data', NOW);
  await run(LATER);
  const own = store.run();
  let pages = 0;
  const page: typeof own.page = async (cursor) => {
    // As where somebody has deleted the job's item, and another run has begun.
    if (++pages === 2) assert.ok(await store.run().take(LATER + DAY + HELD + 1));
    return own.page(cursor);
  };
  await assert.rejects(run(LATER + DAY, undefined, { store: { ...own, page } }), /Another run has the job/);
  assert.deepEqual([pages, dataKeys()], [2, ['data-0', id]]);
});

test('a run that dies in the middle of a page leaves what it met to the next one', async () => {
  const { deployment, run, store, dataKeys } = swept(3);
  for (const name of ['a', 'b', 'c']) await enrolled(deployment, name);
  deployment.keyring.rotate('data', NOW);
  let writes = 0;
  const own = store.run();
  const dying = async (...record: Parameters<typeof own.reseal>) => {
    if (++writes === 3) throw new Error('killed');
    return own.reseal(...record);
  };
  await assert.rejects(run(LATER, undefined, { store: { ...own, reseal: dying } }));
  assert.deepEqual(store.job().sweep?.met.data, ['data-0']);
  // The last record without the old key, as its own user may leave it.
  const last = deployment.records.all()[2] ?? assert.fail();
  deployment.records.put(last.user, { ...last.factor, authenticators: [] });
  assert.deepEqual((await run(LATER + 60)).retired, []);
  assert.equal(dataKeys().length, 2);
});

test('a record that cannot be read keeps every key', async () => {
  const { deployment, run, store } = swept();
  const { caller } = await enrolled(deployment);
  deployment.keyring.rotate('data', NOW);
  deployment.keyring.rotate('backup-code', NOW);
  store.unreadable.add(caller.user.sub);
  for (let day = 0; day < 3; day++) {
    const { unreadable, retired } = await run(LATER + day * DAY);
    assert.deepEqual([unreadable, retired], [1, []]);
  }
  store.unreadable.clear();
  await run(LATER + 3 * DAY);
  assert.deepEqual((await run(LATER + 4 * DAY)).retired, ['data-0']);
});

test('a record that could not be read on an earlier page keeps every key too, in a later run as well', async () => {
  const { deployment, run, store, dataKeys } = swept(1);
  const { caller } = await enrolled(deployment, 'a');
  await enrolled(deployment, 'b');
  deployment.keyring.rotate('data', NOW);
  await run(LATER);
  deployment.keyring.rotate('data', LATER);
  store.unreadable.add(caller.user.sub);
  // The first run ends after the first page.
  assert.equal((await run(LATER + DAY, async () => undefined)).outcome, 'paused');
  const { outcome, retired } = await run(LATER + DAY + 60);
  assert.deepEqual([outcome, retired, dataKeys().length], ['finished', [], 3]);
});

test('two runs at once: one is at it, the other does nothing', async () => {
  const { deployment, run } = swept();
  await enrolled(deployment);
  deployment.keyring.rotate('data', NOW);
  const outcomes = (await Promise.all([run(LATER), run(LATER)])).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes.toSorted(), ['busy', 'finished']);
});

test('an old key that cannot be had does not keep the others from being sealed anew, and none is retired', async () => {
  const { deployment, run } = swept();
  await enrolled(deployment, 'ada');
  const { id: second } = deployment.keyring.rotate('data', NOW - 200);
  await enrolled(deployment, 'bob', NOW - 100);
  const { id: third } = deployment.keyring.rotate('data', NOW);
  const keyring = {
    ...deployment.keyring,
    key: async (kind: 'data' | 'backup-code', id: string, now: number) => {
      if (id === 'data-0') throw unavailable();
      return deployment.keyring.key(kind, id, now);
    },
  };
  const first = await run(LATER, undefined, { keyring });
  assert.deepEqual([first.resealed, first.unreadable], [1, 1]);
  const keyIds = deployment.records.all().map(({ factor }) => factor.authenticators[0]?.secret.keyId);
  assert.deepEqual(keyIds, ['data-0', third]);
  assert.deepEqual((await run(LATER + DAY, undefined, { keyring })).retired, []);
  assert.deepEqual((await run(LATER + 2 * DAY)).retired, [second]);
});

test('without the key in use the run ends with the fault, and the next one can go on', async () => {
  const { deployment, run } = swept();
  await enrolled(deployment);
  deployment.keyring.rotate('data', NOW);
  const current = async () => {
    throw unavailable();
  };
  const failing = run(LATER, undefined, { keyring: { ...deployment.keyring, current } });
  await assert.rejects(failing, refusal('temporarily_unavailable'));
  assert.equal((await run(LATER + 60)).outcome, 'finished');
});
