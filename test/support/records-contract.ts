import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Factor, noFactor } from '../../core/factor.ts';
import type { Records } from '../../core/ports.ts';
import type { User } from '../../core/user.ts';
import { anyFactor } from './any-factor.ts';

/** An implementation, with what its tests need in addition to the port. */
export interface RecordsUnderTest {
  records: Records;
  remove(user: User): Promise<unknown>;
  /** Returns the time of its clock, in seconds since the epoch. */
  now(): number;
}

let people = 0;
export const somebody = (): User => ({ realm: 'users', sub: `person-${++people}` });

/** Stores a record for a new user. */
export async function known(records: Records, factor: Factor = { ...noFactor, generation: 'g1' }) {
  const user = somebody();
  await records.replace(user, noFactor, factor);
  return { user, read: await records.read(user) };
}

/** Removes what the store adds to a record. */
const asGiven = (factor: Factor) => ({ ...factor, writtenBy: undefined, changedAt: 0 });

/** Tests what the domain relies on in any store of records. */
export function recordsContract(what: string, { records, remove, now }: RecordsUnderTest): void {
  const promise = (text: string, work: () => Promise<void>) => test(`${what}: ${text}`, work);

  promise('a user without a record has no factor, and only the first write creates the record', async () => {
    const user = somebody();
    assert.deepEqual(await records.read(user), noFactor);
    const first = await records.replace(user, noFactor, { ...noFactor, generation: 'g1' });
    assert.deepEqual(first, { written: true });
    const second = await records.replace(user, noFactor, { ...noFactor, generation: 'g2' });
    assert.ok(!second.written);
    assert.deepEqual(second.stored, await records.read(user));
    assert.equal(second.stored.generation, 'g1');
  });

  promise('any record reads back unchanged, whatever it replaces', async () => {
    await fc.assert(
      fc.asyncProperty(anyFactor, anyFactor, async (one, other) => {
        const { user, read } = await known(records, one);
        assert.deepEqual(asGiven(read), asGiven(one));
        assert.deepEqual(await records.replace(user, read, other), { written: true });
        assert.deepEqual(asGiven(await records.read(user)), asGiven(other));
      }),
      { numRuns: 15 },
    );
  });

  promise('changing a factor after it was read or written does not change the stored record', async () => {
    const recentFailures = [{ span: 1, count: 1 }];
    const { user, read } = await known(records, { ...noFactor, recentFailures });
    for (const {
      recentFailures: [first = assert.fail()],
    } of [{ recentFailures }, read])
      first.count = 9;
    assert.deepEqual((await records.read(user)).recentFailures, [{ span: 1, count: 1 }]);
  });

  promise('each write gets its own id, whatever id it passes', async () => {
    const { user, read } = await known(records);
    assert.ok(read.writtenBy);
    await records.replace(user, read, { ...read, failures: 1 });
    const next = await records.read(user);
    assert.ok(next.writtenBy && next.writtenBy !== read.writtenBy);
  });

  promise(
    'a new generation is dated at the latest end of its write, so no concurrent sign-in counts as later',
    async () => {
      const { user, read } = await known(records);
      const begun = now();
      await records.replace(user, read, { ...read, generation: 'g2', changedAt: begun - 9 });
      const changed = await records.read(user);
      const later = changed.changedAt - begun;
      assert.ok(later >= 2 && later <= 4, String(later));
      await records.replace(user, changed, { ...changed, failures: 1 });
      assert.equal(
        (await records.read(user)).changedAt,
        changed.changedAt,
        'another write changes `changedAt`',
      );
      // The store's clock is behind the clock of the decision.
      const again = await records.read(user);
      await records.replace(user, again, { ...again, generation: 'g3', changedAt: begun + 100 });
      assert.equal((await records.read(user)).changedAt, begun + 102);
    },
  );

  promise('exactly one of thirty writes from the same read succeeds, and the others return it', async () => {
    const { user, read } = await known(records);
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, failures) => records.replace(user, read, { ...read, failures })),
    );
    const winner = outcomes.findIndex(({ written }) => written);
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.written) assert.equal(index, winner);
      else assert.equal(outcome.stored.failures, winner);
    }
  });

  promise('a write that changes nothing still excludes all others from the same read', async () => {
    const { user, read } = await known(records);
    assert.deepEqual(await records.replace(user, read, read), { written: true });
    assert.equal((await records.replace(user, read, { ...read, failures: 1 })).written, false);
  });

  promise('users of other realms, and users with similar ids, have separate records', async () => {
    const { user, read } = await known(records);
    for (const other of [
      { ...user, realm: 'partners' },
      { ...user, sub: `${user.sub}#` },
      { ...user, sub: '' },
    ]) {
      assert.deepEqual(await records.read(other), noFactor);
    }
    assert.equal(read.generation, 'g1');
  });

  promise('a write does not restore a record that was deleted meanwhile', async () => {
    const { user, read } = await known(records);
    await remove(user);
    const outcome = await records.replace(user, read, { ...read, failures: 1 });
    assert.deepEqual(outcome, { written: false, stored: noFactor });
    assert.deepEqual(await records.read(user), noFactor);
  });
}
