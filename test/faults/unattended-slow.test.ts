// What nobody waits for, while a service hangs: five seconds to an attempt, so few are played, and those at once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION } from './operations.ts';
import { type Plan, type Scene, unattended } from './unattended.ts';
import { castOf } from './unattended-cast.ts';

const service = await serviceForTests(CONFIGURATION);
const stage = unattended(service);
after(() => stage.close());
const cast = await castOf(service, stage);

test('a call that hangs, whose answer never comes or stops in the middle is made again', async () => {
  let [made, written, saved] = [0, 0, 0];
  // Each kind of key meets another one.
  const rotation: Plan = ({ name }) => {
    if (name === 'kms:GenerateDataKeyWithoutPlaintext' && ++made === 1) return 'hang';
    if (name !== 'dynamodb:PutItem') return undefined;
    written++;
    return written === 1 ? 'hang-after' : written === 2 ? 'stall' : undefined;
  };
  const first: Plan = ({ name }) =>
    name === 'dynamodb:UpdateItem' && ++saved === 1 ? 'hang-after' : undefined;
  // The keys are the rotation's here.
  const { before, expected, essence } = cast.sealing;
  const sealing: Scene = {
    ...cast.sealing,
    before: Object.fromEntries(Object.entries(before).filter(([pk]) => !pk.startsWith('KEYRING#'))),
    essence: (stored) => essence(stored).records,
    expected: expected.records,
  };
  await cast.reset();
  await stage.assertAllEndWell(
    { scene: cast.rotation, plan: rotation, what: 'a rotation' },
    { scene: sealing, plan: first, what: 'a sweep' },
    {
      scene: cast.signOut,
      plan: ({ count }) => (count === 2 ? 'stall' : undefined),
      what: 'a sign-out',
    },
  );
  assert.ok(made > 1 && written > 3 && saved > 1, 'each was met, and gone past');
  await cast.signIns(cast.ada);
});
