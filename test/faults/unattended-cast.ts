import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { factorOf } from '../../adapters/record-item.ts';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import { keysOf } from '../../core/reseal.ts';
import type { Service } from '../../local/service.ts';
import { challengeFor, clientOf, text } from '../support/client.ts';
import { keep, keysIn } from '../support/keyring-items.ts';
import { enrolledPerson } from '../support/ways.ts';
import { changesOf, type Item, type Stored } from './stored.ts';
import type { Scene, Unattended } from './unattended.ts';

const [DATA, BACKUP_CODE, SIGNING] = ['KEYRING#data', 'KEYRING#backup-code', 'KEYRING#signing'] as const;
const KEYRING = [DATA, BACKUP_CODE, SIGNING];
const JOB = 'JOB#reseal';
const DAY = 86_400;

type Enrolled = Awaited<ReturnType<typeof enrolledPerson>>;
const recordOf = ({ person }: Enrolled) => `USER#users#${person.sub}`;

/**
 * Two keys of each kind, the newer one in use, three people enrolled under the older ones, and what the functions that
 * nobody waits for then have to do. Ada is adding an authenticator; the sign-out at the pool is Grace's.
 */
export async function castOf(service: Service, stage: Unattended) {
  const client = clientOf(service);
  const { clock } = service;
  const somebody = () => enrolledPerson(service, client);
  // One after the other: each moves the time on, and the others' codes with it.
  const [ada, eve, grace] = [await somebody(), await somebody(), await somebody()];
  const adding = await client.post('/v1/totp/enroll', { name: 'Waiting', code: ada.code() }, ada.access);
  assert.equal(adding.status, 201);
  /** When every kind's newest key is due to be replaced. */
  const due = (stored: Stored) =>
    90 * DAY + Math.max(...KEYRING.map((pk) => keysIn(stored[pk]).at(-1)?.activeFrom ?? 0));
  clock.advance(due(await stage.readAll(KEYRING)) - clock.seconds());
  await keep(service, 'rotate-keys');
  clock.advance(3 * 3600);

  const two = await stage.readAll(KEYRING);
  const people = await stage.readAll([ada, eve].map(recordOf));
  const graces = await stage.readAll([recordOf(grace)]);
  const idsOf = (pk: string) => keysIn(two[pk]).map(({ id }) => id);
  const [previous = assert.fail(), stolen = assert.fail()] = idsOf(SIGNING);
  const [oldData = assert.fail(), newData = assert.fail()] = idsOf(DATA);
  const none: Stored = Object.fromEntries(KEYRING.map((pk) => [pk, undefined]));

  /** What became of each kind: the keys that were there before by their ids, others as new. */
  const rings = (before: Stored) => (stored: Stored) =>
    KEYRING.map((pk) => {
      const known = new Set(keysIn(before[pk]).map(({ id }) => id));
      return keysIn(stored[pk]).map(({ id, activeFrom }) =>
        known.has(id) ? id : activeFrom <= clock.seconds() ? 'new, in use' : 'new, to come',
      );
    });

  /** The keys that records use, whether all else of the records is as it was, what is left of the job, and the keys. */
  const swept = (stored: Stored) => ({
    records: Object.keys(people).map((pk) => ({
      ...keysOf(factorOf(stored[pk] ?? assert.fail('a record is lost'))),
      same: isDeepStrictEqual(withoutSecrets(stored[pk]), withoutSecrets(people[pk])),
    })),
    // Who has it does not matter: where a run cannot let go, its time runs out.
    job: Object.keys(stored[JOB] ?? {}).filter((name) => name === 'sweep' || name === 'endedAt'),
    rings: rings(two)(stored),
  });
  const assertKeysLeft = (stored: Stored, what: string) => {
    for (const [pk, item] of Object.entries(people)) {
      assert.deepEqual(withoutSecrets(stored[pk]), withoutSecrets(item), what);
      const { data, backupCode } = keysOf(factorOf(stored[pk] ?? assert.fail(what)));
      const [left, backupLeft] = [DATA, BACKUP_CODE].map((ring) => keysIn(stored[ring]).map(({ id }) => id));
      assert.ok(
        data.every((id) => left?.includes(id)) && backupCode.every((id) => backupLeft?.includes(id)),
        what,
      );
    }
  };
  const moved = {
    records: Object.values(people).map((item) => {
      const { data, backupCode } = keysOf(factorOf(item ?? assert.fail()));
      assert.deepEqual(new Set(data), new Set([oldData]));
      return { data: data.map(() => newData), backupCode, same: true };
    }),
    job: ['endedAt'],
  };
  const sweep = {
    operation: 'reseal',
    event: {},
    assertSafe: assertKeysLeft,
    // Its schedule's next turn: by then a run that died has let go of the job.
    pause: 3600,
  };

  const scenes = {
    firstKeys: {
      operation: 'ensure-keys',
      event: {},
      before: none,
      essence: rings(none),
      expected: [['new, in use'], ['new, in use'], ['new, in use']],
    },
    withdrawal: {
      operation: 'rotate-keys',
      event: { withdraw: stolen },
      before: two,
      essence: rings(two),
      expected: [idsOf(DATA), idsOf(BACKUP_CODE), [previous, 'new, in use']],
    },
    rotation: {
      operation: 'rotate-keys',
      event: {},
      before: two,
      from: due(two),
      essence: rings(two),
      expected: [
        [...idsOf(DATA), 'new, to come'],
        [...idsOf(BACKUP_CODE), 'new, to come'],
        // Of the one before no token can live any more.
        [stolen, 'new, to come'],
      ],
    },
    signOut: {
      operation: 'cognito/admin-sign-out',
      event: {
        detail: {
          eventName: 'AdminUserGlobalSignOut',
          eventTime: '2026-01-01T00:00:00Z',
          additionalEventData: { sub: grace.person.sub },
        },
      },
      before: graces,
      essence: (stored: Stored) => changesOf(graces, stored),
      expected: {
        USER: {
          generation: true,
          authenticators: [false],
          pending: false,
          backupCodes: { new: false, remaining: 10 },
          failures: 0,
          guesses: 0,
          answered: 0,
          event: 'sessions.revoked',
        },
      },
    },
    sealing: {
      ...sweep,
      before: { ...two, ...people, [JOB]: undefined },
      essence: swept,
      // What it met it keeps.
      expected: { ...moved, rings: [idsOf(DATA), idsOf(BACKUP_CODE), idsOf(SIGNING)] },
    },
  } satisfies Record<string, Scene>;

  return {
    ...scenes,
    ada,
    grace,
    /** The day after `sealing`, on what it left: nothing is sealed under the older data key any more. */
    retiring: (sealed: Stored): Scene => ({
      ...sweep,
      before: sealed,
      from: Number(sealed[JOB]?.['endedAt']?.N) + DAY,
      essence: swept,
      expected: { ...moved, rings: [[newData], idsOf(BACKUP_CODE), idsOf(SIGNING)] },
    }),
    somebody,
    /** Puts back keys and records as they are in the beginning. */
    reset: () => stage.setAll({ ...two, ...people, ...graces }),
    /** The sessions of a sign-in with a code and of one with a backup code, by containers that have to read the keyring. */
    async signIns({ person, code, backupCodes }: Enrolled): Promise<string[]> {
      clock.advance(KEYRING_TTL + 1);
      const sessions: string[] = [];
      for (const proof of [{ code: code() }, { backupCode: backupCodes[0] }]) {
        const challengeToken = await challengeFor(client, person);
        const answer = await client.post('/v1/auth/verify', { challengeToken, ...proof });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        sessions.push(text(answer, 'refreshToken'));
      }
      return sessions;
    },
  };
}

/** A record but for where its secrets are sealed: the boxes, and the ids of their keys. */
function withoutSecrets(item: Item): unknown {
  return (
    item &&
    JSON.parse(JSON.stringify(factorOf(item), (name, value) => (name === 'secret' ? undefined : value)))
  );
}
