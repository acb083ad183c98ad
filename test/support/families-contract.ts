import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Families } from '../../core/ports.ts';

export const ENDS = 1_900_000_000;
let made = 0;
export const family = () => `family-${++made}`;

/** What the domain relies on, of whatever keeps the refresh families. */
export function familiesContract(what: string, families: Families): void {
  const promise = (text: string, work: () => Promise<void>) => test(`${what}: ${text}`, work);
  const advance = (id: string, sequence: number) => families.advance(id, sequence, ENDS);

  promise('each sequence is used once, in order', async () => {
    const id = family();
    for (const sequence of [0, 1, 2]) assert.equal(await advance(id, sequence), true);
  });

  for (const replayed of [0, 1]) {
    promise(`sequence ${replayed} used again ends the family, its newest token too`, async () => {
      const id = family();
      for (const sequence of [0, 1, 2]) await advance(id, sequence);
      assert.equal(await advance(id, replayed), false);
      assert.equal(await advance(id, 3), false);
      assert.equal(await advance(id, 0), false);
    });
  }

  promise('a sequence that was never reached is refused, and ends the family', async () => {
    const [unused, used] = [family(), family()];
    assert.equal(await advance(unused, 5), false);
    assert.equal(await advance(unused, 0), false);
    await advance(used, 0);
    assert.equal(await advance(used, 2), false);
    assert.equal(await advance(used, 1), false);
  });

  promise('of thirty uses at once exactly one is the first, and the family has ended', async () => {
    const id = family();
    const uses = await Promise.all(Array.from({ length: 30 }, () => advance(id, 0)));
    assert.equal(uses.filter(Boolean).length, 1);
    assert.equal(await advance(id, 1), false);
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

  promise('a family says whether it has ended; one not used yet goes on', async () => {
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
