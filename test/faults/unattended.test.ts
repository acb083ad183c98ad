// What nobody waits for, under every fault at every call: who makes the keys, and the sign-out that EventBridge brings.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, clientOf } from '../support/client.ts';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION } from './operations.ts';
import { type Scene, unattended } from './unattended.ts';
import { castOf } from './unattended-cast.ts';

const service = await serviceForTests(CONFIGURATION);
const client = clientOf(service);
const stage = unattended(service);
after(() => stage.close());
const cast = await castOf(service, stage);
const { ada, grace, signIns } = cast;

type Play = (scene: Scene) => Promise<void>;

/** What each of them promises, and how it is seen that users go on. */
const promises: Record<string, (play: Play) => Promise<void>> = {
  async 'there is one first key of each kind'(play) {
    await play(cast.firstKeys);
    // What was sealed under the keys before does not open any more.
    await signIns(await cast.somebody());
  },

  async 'a withdrawn key is gone, and one is in its place'(play) {
    await cast.reset();
    await play(cast.withdrawal);
    await signIns(ada);
  },

  async 'where a key of each kind is due, one of each is made'(play) {
    await cast.reset();
    await play(cast.rotation);
    await signIns(ada);
  },

  async 'a sign-out at the pool ends every session, and leaves the factor'(play) {
    await cast.reset();
    const [one, other] = await signIns(grace);
    const refresh = (refreshToken: string | undefined) => client.post('/v1/auth/refresh', { refreshToken });
    assert.equal((await refresh(one)).status, 200);
    await play(cast.signOut);
    assertProblem(await refresh(other), 401, 'refresh_token_invalid');
    await signIns(grace);
  },
};

for (const [promise, keeping] of Object.entries(promises)) {
  test(`${promise}: whatever a call meets once, it is made again`, () => keeping(stage.assertTriedAgain));
}

for (const [promise, keeping] of Object.entries(promises)) {
  test(`${promise}: while everything fails from some call on the run fails, and the next makes up for it`, () =>
    keeping(stage.assertMadeUpFor));
}
