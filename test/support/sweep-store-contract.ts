import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Authenticator, type Factor, noFactor } from '../../core/factor.ts';
import type { SecretKeyKind } from '../../core/key-kind.ts';
import type { Records } from '../../core/ports.ts';
import type { Sweep, SweepStore } from '../../core/sweep.ts';
import type { User } from '../../core/user.ts';

/** An implementation without records, with what its tests need in addition to the port. */
export interface SweepStoreUnderTest {
  /** Returns a run of the sweep, which is one invocation of the function. */
  run(): SweepStore;
  /** The same records, as the other operations read and write them. */
  records: Records;
  remove(user: User): Promise<unknown>;
  /** Makes a record unreadable. */
  damage(user: User): Promise<unknown>;
  /** A further key of that kind, by its id. */
  newKey(kind: SecretKeyKind): Promise<string>;
}

const NOW = 1_800_000_000;
const ADA = { realm: 'users', sub: 'ada#1#two' };
const authenticator: Authenticator = {
  kind: 'totp',
  id: 'authenticator-1',
  name: 'Phone',
  secret: { keyId: 'old', box: new Uint8Array(50).fill(1) },
  algorithm: 'SHA1',
  digits: 6,
  period: 30,
  lastStep: 5,
  createdAt: NOW,
  lastUsedAt: NOW,
};
const { lastStep: _step, createdAt: _created, lastUsedAt: _used, ...enrolling } = authenticator;
const factor: Factor = {
  ...noFactor,
  generation: 'generation-1',
  authenticators: [authenticator],
  pending: { ...enrolling, id: 'authenticator-2', expiresAt: NOW, failures: 1 },
  failures: 3,
};
const boxed = <A extends { secret: Authenticator['secret'] }>(one: A): A => ({
  ...one,
  secret: { keyId: 'new', box: new Uint8Array(50).fill(2) },
});
/** Returns the factor with its secrets resealed. */
const reboxed = (read: Factor): Factor => ({
  ...read,
  authenticators: read.authenticators.map(boxed),
  pending: read.pending && boxed(read.pending),
});
/** Stores a record with one enabled and one pending authenticator. */
export async function enrolled(records: Records, user: User = ADA) {
  assert.deepEqual(await records.replace(user, noFactor, factor), { written: true });
  const read = await records.read(user);
  return { user, read, reboxed: reboxed(read) };
}

/** Tests what the sweep relies on in any store of records, keys and the job. */
export function sweepStoreContract(what: string, make: () => Promise<SweepStoreUnderTest>): void {
  const promise = (text: string, work: (store: SweepStoreUnderTest) => Promise<void>) =>
    test(`${what}: ${text}`, async () => work(await make()));

  promise(
    'the pages contain every record once, whatever its id contains, and the last page has no cursor',
    async (store) => {
      const subs = [ADA.sub, ...Array.from({ length: 69 }, (_, index) => `somebody-${index}`)];
      await Promise.all(subs.map((sub) => enrolled(store.records, { ...ADA, sub })));
      const found = await swept(store);
      assert.deepEqual(found.map(({ user }) => user.sub).toSorted(), subs.toSorted());
      const ada = found.find(({ user }) => user.sub === ADA.sub);
      assert.deepEqual(ada, { user: ADA, factor: await store.records.read(ADA) });
    },
  );

  promise('records deleted between two pages hide no other record', async (store) => {
    const subs = Array.from({ length: 60 }, (_, index) => `somebody-${index}`);
    await Promise.all(subs.map((sub) => enrolled(store.records, { ...ADA, sub })));
    const first = await store.run().page(undefined);
    assert.ok(first.records.length > 0 && first.cursor !== undefined);
    for (const { user } of first.records) await store.remove(user);
    const rest = await swept(store, first.cursor);
    assert.equal(new Set([...first.records, ...rest].map(({ user }) => user.sub)).size, 60);
  });

  promise('an unreadable record is reported without its factor', async (store) => {
    await enrolled(store.records);
    await store.damage(ADA);
    assert.deepEqual(await swept(store), [{ user: ADA }]);
  });

  promise('resealing changes only the ciphertexts, and keeps the id of the last write', async (store) => {
    const { user, read, reboxed } = await enrolled(store.records);
    // The other members passed must have no effect.
    assert.equal(
      await store.run().reseal(user, read, { ...reboxed, failures: 0, generation: 'other' }),
      true,
    );
    assert.deepEqual(await store.records.read(user), reboxed);
  });

  promise(
    'an attempt that read before resealing and writes after it succeeds, and keeps the resealed secrets',
    async (store) => {
      const { user, read, reboxed } = await enrolled(store.records);
      assert.equal(await store.run().reseal(user, read, reboxed), true);
      const written = await store.records.replace(user, read, { ...read, failures: 4 });
      assert.deepEqual(written, { written: true });
      const { writtenBy: _, ...stored } = await store.records.read(user);
      const { writtenBy: __, ...expected } = { ...reboxed, failures: 4 };
      assert.deepEqual(stored, expected);
    },
  );

  promise('resealing does not overwrite a later write', async (store) => {
    const { user, read, reboxed } = await enrolled(store.records);
    await store.records.replace(user, read, { ...read, failures: 4 });
    const before = await store.records.read(user);
    assert.equal(await store.run().reseal(user, read, reboxed), false);
    assert.deepEqual(await store.records.read(user), before);
  });

  promise('resealing does not create a record that was deleted meanwhile or never existed', async (store) => {
    const { user, read, reboxed } = await enrolled(store.records);
    await store.remove(user);
    assert.equal(await store.run().reseal(user, read, reboxed), false);
    const { writtenBy: _, ...unwritten } = read;
    assert.equal(await store.run().reseal(user, unwritten, reboxed), false);
    assert.deepEqual(await store.records.read(user), noFactor);
  });

  promise(
    'a run holds the job until it releases it or its time expires, and the next run gets the saved state',
    async (store) => {
      const [one, two, three] = [store.run(), store.run(), store.run()];
      assert.deepEqual(await one.take(NOW), { sweep: undefined, endedAt: 0 });
      assert.equal(await two.take(NOW + 1), undefined);
      const sweep: Sweep = {
        began: NOW,
        reached: NOW,
        cursor: 'x',
        met: { data: ['a'], 'backup-code': [] },
        unreadable: 1,
      };
      await one.save({ sweep, endedAt: 7 });
      await one.release();
      assert.deepEqual(await two.take(NOW + 2), { sweep, endedAt: 7 });

      assert.equal(await three.take(NOW + 900), undefined);
      assert.deepEqual(await three.take(NOW + 963), { sweep, endedAt: 7 });
      // A run whose time has expired can neither save nor release the job, because it no longer holds it.
      await assert.rejects(two.save({ sweep: undefined, endedAt: 9 }));
      await two.release();
      assert.equal(await one.take(NOW + 964), undefined);
      await three.save({ sweep: undefined, endedAt: 9 });
      await three.release();
      assert.deepEqual(await one.take(NOW + 965), { sweep: undefined, endedAt: 9 });
    },
  );

  promise('a run lists all keys of a kind, and retires only the named ones', async (store) => {
    const before = await store.run().keys('data');
    const others = await store.run().keys('backup-code');
    const [one, two] = [await store.newKey('data'), await store.newKey('data')];
    const keys = await store.run().keys('data');
    const ids = (of: { id: string }[]) => of.map(({ id }) => id).toSorted();
    assert.deepEqual(ids(keys), ids([...before, { id: one }, { id: two }]));
    assert.ok(keys.every(({ activeFrom }) => Number.isSafeInteger(activeFrom)));
    assert.equal(await store.run().retire('data', ['unknown']), true);
    assert.deepEqual(await store.run().keys('data'), keys);
    assert.equal(await store.run().retire('data', [one]), true);
    assert.deepEqual(ids(await store.run().keys('data')), ids([...before, { id: two }]));
    assert.deepEqual(await store.run().keys('backup-code'), others);
  });
}

/** Returns all records, page by page. Each page is read by a different run. */
async function swept({ run }: SweepStoreUnderTest, from?: string) {
  const found: Awaited<ReturnType<SweepStore['page']>>['records'] = [];
  let cursor = from;
  do {
    const page = await run().page(cursor);
    found.push(...page.records);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
