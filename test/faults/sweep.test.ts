// The sweep over the records, under every fault at every call.
import { after, test } from 'node:test';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION } from './operations.ts';
import { type Scene, unattended } from './unattended.ts';
import { castOf } from './unattended-cast.ts';

const service = await serviceForTests(CONFIGURATION);
const stage = unattended(service);
after(() => stage.close());
const cast = await castOf(service, stage);

const { outcome, after: sealed } = await stage.runAnew(cast.sealing);
if (!outcome.ok) throw new Error(outcome.error.errorMessage);
const retiring = cast.retiring(sealed);

const promises: Record<string, (play: (scene: Scene) => Promise<void>) => Promise<void>> = {
  async 'every secret is sealed under the key in use, and no record changes but for that'(play) {
    await play(cast.sealing);
    await cast.signIns(cast.ada);
  },
  async 'the key that nothing uses is retired, and none that a record uses'(play) {
    await play(retiring);
    await cast.signIns(cast.ada);
  },
};

for (const [promise, keeping] of Object.entries(promises)) {
  test(`${promise}: whatever a call meets once, it is made again`, () => keeping(stage.assertTriedAgain));
  test(`${promise}: while everything fails from some call on the run fails, and the next makes up for it`, () =>
    keeping(stage.assertMadeUpFor));
}
