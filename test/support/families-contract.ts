import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Families, FamilyTimes } from '../../core/ports.ts';

export const ENDS = 1_900_000_000;
const NOW = 1_800_000_000;
const GRACE = 5;
let made = 0;
export const family = () => `family-${++made}`;
/** Returns the times of a use, so many seconds after the first one. */
export const later = (seconds: number, grace = GRACE): FamilyTimes => ({
  endsAt: ENDS,
  now: NOW + seconds,
  grace,
});

/** Tests what the domain relies on in any store of refresh families. */
export function familiesContract(what: string, families: Families): void {
  const promise = (text: string, work: () => Promise<void>) => test(`${what}: ${text}`, work);
  const advance = (id: string, sequence: number, times = later(0)) => families.advance(id, sequence, times);
  /** Uses each of these sequences once, in order. */
  const advanceAll = async (id: string, sequences: number[]) => {
    for (const sequence of sequences) assert.equal(await advance(id, sequence), true);
  };

  promise('a family accepts its sequences in order', () => advanceAll(family(), [0, 1, 2]));

  for (const replayed of [0, 1]) {
    promise(`sequence ${replayed} used again ends the family, including its newest token`, async () => {
      const id = family();
      await advanceAll(id, [0, 1, 2]);
      assert.equal(await advance(id, replayed), false);
      assert.equal(await advance(id, 3), false);
      assert.equal(await advance(id, 0), false);
    });
  }

  promise('a sequence that was never issued is refused, and ends the family', async () => {
    const [unused, used] = [family(), family()];
    assert.equal(await advance(unused, 5), false);
    assert.equal(await advance(unused, 0), false);
    await advance(used, 0);
    assert.equal(await advance(used, 2), false);
    assert.equal(await advance(used, 1), false);
  });

  for (const first of [0, 1]) {
    promise(`sequence ${first} used again within the grace is accepted, and so is the next one`, async () => {
      const id = family();
      await advanceAll(id, [0, 1].slice(0, first + 1));
      assert.equal(await advance(id, first, later(GRACE)), true);
      assert.equal(await advance(id, first + 1, later(3600)), true);
    });

    promise(`sequence ${first} used again after the grace ends the family`, async () => {
      const id = family();
      await advanceAll(id, [0, 1].slice(0, first + 1));
      assert.equal(await advance(id, first, later(GRACE + 1)), false);
      assert.equal(await advance(id, first + 1, later(GRACE + 1)), false);
    });
  }

  promise('a slow clock gives the same grace, not a longer one', async () => {
    const [near, far] = [family(), family()];
    for (const id of [near, far]) await advance(id, 0);
    assert.equal(await advance(near, 0, later(-GRACE)), true);
    assert.equal(await advance(far, 0, later(-GRACE - 1)), false);
  });

  promise('a sequence gets the grace once, and a third use ends the family', async () => {
    const id = family();
    await advanceAll(id, [0]);
    assert.equal(await advance(id, 0), true);
    assert.equal(await advance(id, 0), false);
    assert.equal(await advance(id, 1), false);
  });

  promise('each sequence has its own grace, counted from its first use', async () => {
    const id = family();
    for (const [sequence, seconds] of [
      [0, 0],
      [0, GRACE],
      [1, GRACE],
      [1, 2 * GRACE],
      [2, 2 * GRACE],
    ] as const) {
      assert.equal(await advance(id, sequence, later(seconds)), true);
    }
    // A use within the grace starts no new grace.
    const other = family();
    await advance(other, 0);
    await advance(other, 0, later(GRACE));
    assert.equal(await advance(other, 0, later(GRACE + 1)), false);
  });

  promise('a grace of 0 means none, even in the same second', async () => {
    const id = family();
    assert.equal(await advance(id, 0, later(0, 0)), true);
    assert.equal(await advance(id, 0, later(0, 0)), false);
    assert.equal(await advance(id, 1, later(0, 0)), false);
  });

  promise('a family that has ended has no grace', async () => {
    const id = family();
    await advance(id, 0);
    await families.end(id, ENDS);
    assert.equal(await advance(id, 0), false);
    assert.equal(await advance(id, 1), false);
  });

  promise('at most two of thirty concurrent uses are accepted, and the family ends', async () => {
    for (const [grace, most] of [
      [GRACE, 2],
      [0, 1],
    ] as const) {
      const id = family();
      const uses = await Promise.all(Array.from({ length: 30 }, () => advance(id, 0, later(0, grace))));
      const count = uses.filter(Boolean).length;
      assert.ok(count >= 1 && count <= most, `${count}`);
      assert.equal(await advance(id, 1, later(0, grace)), false);
    }
  });

  promise('two concurrent uses are both accepted', async () => {
    for (let round = 0; round < 10; round++) {
      const id = family();
      assert.deepEqual(await Promise.all([advance(id, 0), advance(id, 0, later(1))]), [true, true]);
      assert.deepEqual(await Promise.all([advance(id, 1), advance(id, 1)]), [true, true]);
    }
  });

  promise('a family ended before its first use, after it, or twice, stays ended', async () => {
    const [unused, used] = [family(), family()];
    await advance(used, 0);
    for (const id of [unused, used]) {
      await families.end(id, ENDS);
      await families.end(id, ENDS);
      assert.equal(await advance(id, 0), false);
      assert.equal(await advance(id, 1), false);
    }
  });

  promise('a family reports whether it has ended, and an unused one has not', async () => {
    const [unused, used, ended, misused] = [family(), family(), family(), family()];
    await advance(used, 0);
    await families.end(ended, ENDS);
    await advance(misused, 5);
    const says = await Promise.all([unused, used, ended, misused].map((id) => families.isEnded(id)));
    assert.deepEqual(says, [false, false, true, true]);
  });

  promise('one family does not end another', async () => {
    const [one, other] = [family(), family()];
    await advance(other, 0);
    await families.end(one, ENDS);
    assert.equal(await advance(other, 1), true);
  });
}
