import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { confirm } from '../../core/confirm.ts';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { sweep } from '../../core/sweep.ts';
import { inForce, open, waiting } from '../../core/totp/sealed.ts';
import { typedCode } from '../../core/typed-code.ts';
import { verify } from '../../core/verify.ts';
import { scan } from '../support/authenticator-app.ts';
import { CLIENT, type createDeployment, enrolled, NOW, type Person } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';
import { accepted, swept } from '../support/swept.ts';

const DAY = 86_400;
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
    client: CLIENT,
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
          const { authenticators, pending } = factor;
          const boxes = authenticators.map((one) => ({ secret: one.secret, place: inForce(one) }));
          if (pending) boxes.push({ secret: pending.secret, place: waiting(pending, factor) });
          for (const { secret, place } of boxes) {
            const key = await keyring.key('data', secret.keyId, now);
            assert.ok(key && open(secret, user, place, key), `a secret of ${user.sub} is lost`);
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
      const begun = await enroll(scheduled, { caller, name: 'More', proof: { code }, client: CLIENT, now });
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
    if (deed === 'new-codes') {
      const rotated = await rotateBackupCodes(scheduled, { ...input, code });
      backupCodes = rotated.backupCodes.map(typedCode);
    }
  };
}
