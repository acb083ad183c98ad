// What the tests of core/ run on, held to what the adapters are held to.

import { familiesContract } from '../support/families-contract.ts';
import { createMemoryFamilies } from '../support/memory-families.ts';
import { createMemoryKeyring } from '../support/memory-keyring.ts';
import { createMemoryRecords } from '../support/memory-records.ts';
import { createMemorySweepStore } from '../support/memory-sweep-store.ts';
import { recordsContract } from '../support/records-contract.ts';
import { sweepStoreContract } from '../support/sweep-store-contract.ts';

const NOW = 1_800_000_000;
const records = createMemoryRecords(() => NOW);
recordsContract('records in memory', {
  records,
  remove: async (user) => records.remove(user),
  now: () => NOW,
});

familiesContract('families in memory', createMemoryFamilies());

sweepStoreContract('a sweep in memory', async () => {
  const records = createMemoryRecords();
  const keyring = createMemoryKeyring();
  const { run, unreadable } = createMemorySweepStore(records, keyring, 25);
  return {
    run,
    records,
    remove: async (user) => records.remove(user),
    damage: async ({ sub }) => unreadable.add(sub),
    newKey: async (kind) => keyring.rotate(kind).id,
  };
});
