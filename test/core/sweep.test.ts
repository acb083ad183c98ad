import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { confirm } from '../../core/confirm.ts';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import { unavailable } from '../../core/error.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { open } from '../../core/sealed.ts';
import { sweep } from '../../core/sweep.ts';
import { verify } from '../../core/verify.ts';
import { scan } from '../support/authenticator-app.ts';
import { CLIENT, createDeployment, enrolled, NOW, type Person } from '../support/deployment.ts';
import { createMemorySweepStore } from '../support/memory-sweep-store.ts';
import { refusal } from '../support/refusal.ts';

const DAY = 86_400;
/** From then on a new key is in use by every container, and the one before by none. */
const LATER = NOW + 600;

function swept(pageSize?: number) {
  const deployment = createDeployment();
  const store = createMemorySweepStore(deployment.records, deployment.keyring, pageSize);
  const dataKeys = () => deployment.keyring.keys('data').map(({ id }) => id);
  return {
    deployment,
    store,
    dataKeys,
    run: (now: number, next: () => Promise<number | undefined> = async () => now, more = {}) =>
      sweep({ ...deployment, store: store.run(), ...more }, now, next),
    /** The keys that the records are sealed under. */
    inUse: () => {
      const all = deployment.records.all().map(({ factor }) => factor);
      return new Set(
        all.flatMap(({ authenticators, pending }) =>
          [...authenticators, ...(pending ? [pending] : [])].map(({ secret }) => secret.keyId),
        ),
      );
    },
  };
}

const accepted = (deployment: ReturnType<typeof createDeployment>, { caller, app }: Person, now: number) =>
  verify(deployment, { caller, proof: { code: app.codeAt(now) }, client: CLIENT, now });

test('with one key of each kind there is nothing to do', async () => {
  const { deployment, run, store } = swept();
  await enrolled(deployment);
  const { outcome, seen } = await run(NOW);
  assert.deepEqual([outcome, seen, store.job().endedAt], ['idle', 0, 0]);
});

test('every secret, of pending enrolments too, is sealed under the new key; nothing else of a record changes', async () => {
  const { deployment, run, inUse } = swept();
  const people = [];
  for (const name of ['ada', 'bob', 'cyd']) people.push(await enrolled(deployment, name));
  const [ada] = people;
  assert.ok(ada);
  const proof = { code: ada.app.codeAt(NOW) };
  await enroll(deployment, { caller: ada.caller, name: 'Waiting', proof, now: NOW });
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

for (const where of ['an authenticator', 'a pending enrolment'] as const) {
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
        : { authenticators: [], pending: { ...damaged, expiresAt: NOW } }),
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

/** Attempts on somebody with one authenticator in use and one that waits, and what each is answered. */
const attempts = {
  'a right code': (deployment: Deployment, person: Waiting, now: number) =>
    accepted(deployment, person, now).then(({ verified }) => assert.ok(verified)),
  'a wrong code': (deployment: Deployment, { caller, app }: Waiting, now: number) => {
    const proof = { code: app.wrongCodeAt(now) };
    const attempt = verify(deployment, { caller, proof, client: CLIENT, now });
    return assert.rejects(attempt, refusal('code_rejected'));
  },
  'a backup code': (
    deployment: Deployment,
    { caller, backupCodes: [backupCode = ''] }: Waiting,
    now: number,
  ) => verify(deployment, { caller, proof: { backupCode }, client: CLIENT, now }),
  'the confirmation': (deployment: Deployment, { caller, waiting }: Waiting, now: number) =>
    confirm(deployment, { caller, ...waiting(now), client: CLIENT, now }),
};
type Deployment = ReturnType<typeof createDeployment>;
interface Waiting extends Person {
  waiting(now: number): { authenticatorId: string; code: string };
}

async function withWaiting(deployment: Deployment): Promise<Waiting> {
  const person = await enrolled(deployment);
  const { caller, app } = person;
  const proof = { code: app.codeAt(NOW) };
  const { authenticatorId, otpauthUri } = await enroll(deployment, {
    caller,
    name: 'Second',
    proof,
    now: NOW,
  });
  const second = scan(otpauthUri);
  return { ...person, waiting: (now) => ({ authenticatorId, code: second.codeAt(now) }) };
}

for (const [name, attempt] of Object.entries(attempts)) {
  test(`a sweep while ${name} is under way: answered as without it, and nothing is lost`, async () => {
    const { deployment, run, inUse, dataKeys } = swept();
    const person = await withWaiting(deployment);
    const { id } = deployment.keyring.rotate('data', NOW + 60);
    const now = NOW + 500;
    // The attempt reads, a whole sweep goes over its record and another one is asked for, and then it writes.
    const replace = async (...write: Parameters<typeof deployment.records.replace>) => {
      const { outcome, resealed } = await run(now);
      assert.deepEqual([outcome, resealed, [...inUse()]], ['finished', 1, [id]]);
      assert.equal((await run(now)).outcome, 'idle');
      return deployment.records.replace(...write);
    };
    await attempt({ ...deployment, records: { ...deployment.records, replace } }, person, now);

    for (const keyId of inUse()) assert.ok(dataKeys().includes(keyId));
    // It brings the boxes back as it read them, so the old key is in use again.
    if (name === 'the confirmation') {
      assert.ok(inUse().has('data-0'));
      assert.deepEqual((await run(now + DAY)).retired, []);
      assert.deepEqual((await run(now + 2 * DAY)).retired, ['data-0']);
    } else {
      assert.deepEqual((await run(now + DAY)).retired, ['data-0']);
    }
    assert.deepEqual([...inUse()], [id]);
    const factor = await deployment.records.read(person.caller.user);
    const caller = { ...person.caller, generation: factor.generation };
    await accepted(deployment, { ...person, caller }, now + 3 * DAY);
  });
}

test('over every order of attempts, sweeps and rotations no secret and no set of backup codes is ever lost', async () => {
  const names = ['ada', 'bob'];
  const deeds = ['right', 'wrong', 'backup', 'enroll', 'confirm', 'disable', 'new-codes'] as const;
  const round = fc.record({
    deeds: fc.tuple(...names.map(() => fc.constantFrom(...deeds))),
    /** Steps of the others for which an attempt's write is on its way. */
    slow: fc.constantFrom(0, 5, 30),
    rotates: fc.constantFrom('data', 'data', 'backup-code', undefined),
    sweeps: fc.nat(2),
    /** Until the next round, in seconds. */
    wait: fc.constantFrom(900, DAY),
  });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(round, { minLength: 2, maxLength: 5 }), async (s, rounds) => {
      const { deployment, store } = swept(2);
      deployment.settings.lifetimes.enrollment = 30 * DAY;
      const { records, keyring } = deployment;
      let slowness = 0;
      const replace = s.scheduleFunction(records.replace);
      // Every step between two of which another may come.
      const scheduled = {
        ...deployment,
        records: {
          ...records,
          read: s.scheduleFunction(records.read),
          replace: async (...write: Parameters<typeof records.replace>) => {
            for (let step = 0; step < slowness; step++) await s.schedule(Promise.resolve());
            return replace(...write);
          },
        },
      };
      const scheduledRun = () => {
        const own = store.run();
        return {
          ...own,
          page: s.scheduleFunction(own.page),
          reseal: s.scheduleFunction(own.reseal),
          retire: s.scheduleFunction(own.retire),
        };
      };
      const people: Awaited<ReturnType<typeof actor>>[] = [];
      for (const name of names) people.push(await actor(scheduled, deployment, name));
      for (const act of people) await s.waitFor(act('enroll', NOW));
      let now = NOW;
      for (const { deeds, rotates, slow, sweeps, wait } of rounds) {
        if (rotates) keyring.rotate(rotates, now + 360);
        now += wait;
        slowness = slow;
        const runs = Array.from({ length: sweeps }, async () => {
          // One after another, at the same time as the other runs and the attempts.
          for (let again = 0; again < 2; again++) {
            await sweep({ ...deployment, store: scheduledRun() }, now, async () => now);
          }
        });
        const acts = people.map((act, one) => act(deeds[one] ?? 'wrong', now));
        await s.waitFor(Promise.all([...acts, ...runs]));
        for (const { user, factor } of records.all()) {
          for (const { id, secret } of [
            ...factor.authenticators,
            ...(factor.pending ? [factor.pending] : []),
          ]) {
            const key = await keyring.key('data', secret.keyId, now);
            assert.ok(key && open(secret, user, id, key), `a secret of ${user.sub} is lost`);
          }
          const { keyId = '' } = factor.backupCodes ?? {};
          assert.ok(await keyring.key('backup-code', keyId, now), `the backup codes of ${user.sub} are lost`);
        }
      }
    }),
    { numRuns: 100 },
  );
});

/** Somebody who has a second factor and does one thing with it at a time; all of it has to succeed. */
async function actor(scheduled: Deployment, { records }: Deployment, name: string) {
  const person = await enrolled({ ...scheduled, records }, name);
  const { app, caller: first, authenticatorId: kept } = person;
  let { backupCodes } = person;
  let pending: { authenticatorId: string; codeAt(now: number): string } | undefined;

  return async (deed: string, now: number): Promise<void> => {
    const { generation, authenticators } = await records.read(first.user);
    const caller = { ...first, generation, authTime: now };
    const input = { caller, client: CLIENT, now };
    const code = app.codeAt(now);
    if (deed === 'right') await verify(scheduled, { ...input, proof: { code } });
    if (deed === 'wrong') {
      const attempt = verify(scheduled, { ...input, proof: { code: app.wrongCodeAt(now) } });
      await assert.rejects(attempt, refusal('code_rejected'));
    }
    if (deed === 'backup') {
      const [backupCode = '', ...others] = backupCodes;
      await verify(scheduled, { ...input, proof: { backupCode } });
      backupCodes = others;
    }
    if (deed === 'enroll' && authenticators.length < 5) {
      const begun = await enroll(scheduled, { caller, name: 'More', proof: { code }, now });
      pending = { authenticatorId: begun.authenticatorId, codeAt: scan(begun.otpauthUri).codeAt };
    }
    if (deed === 'confirm' && pending) {
      const { authenticatorId, codeAt } = pending;
      const attempt = confirm(scheduled, { ...input, authenticatorId, code: codeAt(now) });
      await attempt.catch(refusal('enrollment_not_found'));
      pending = undefined;
    }
    const other = authenticators.find(({ id }) => id !== kept);
    if (deed === 'disable' && other) {
      await disable(scheduled, { ...input, proof: { code }, authenticatorId: other.id });
    }
    if (deed === 'new-codes') ({ backupCodes } = await rotateBackupCodes(scheduled, { ...input, code }));
  };
}
