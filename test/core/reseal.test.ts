import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import type { Factor } from '../../core/factor.ts';
import { resealed } from '../../core/reseal.ts';
import type { Sealed } from '../../core/totp/data.ts';
import { inForce, open, type Place, waiting } from '../../core/totp/sealed.ts';
import type { User } from '../../core/user.ts';
import { verify } from '../../core/verify.ts';
import { scan } from '../support/authenticator-app.ts';
import { sealedByVersion1 } from '../support/box-version-1.ts';
import { CLIENT, createDeployment, type Deployment, enrolled, NOW } from '../support/deployment.ts';

const versions = ({ authenticators, pending }: Factor) =>
  [...authenticators, ...(pending ? [pending] : [])].map(({ secret }) => secret.box[0]);

/** Somebody with an authenticator in force and one that waits. */
async function withPending(deployment: Deployment) {
  const { caller, app } = await enrolled(deployment);
  const proof = { code: app.codeAt(NOW) };
  const begun = await enroll(deployment, { caller, name: 'Waiting', proof, client: CLIENT, now: NOW });
  return { caller, app, begun, waitingApp: scan(begun.otpauthUri) };
}

/** Puts the record back as the first version would have sealed it. */
async function asVersion1({ records, keyring }: Deployment, user: User): Promise<Factor> {
  const factor = await records.read(user);
  const key = await keyring.current('data', NOW);
  const old = <A extends { id: string; secret: Sealed }>(authenticator: A, place: Place): A => {
    const secret = open(authenticator.secret, user, place, key) ?? assert.fail('it does not open');
    return { ...authenticator, secret: sealedByVersion1(secret, user, authenticator.id, key) };
  };
  const { pending } = factor;
  const before = {
    ...factor,
    authenticators: factor.authenticators.map((one) => old(one, inForce(one))),
    pending: pending && old(pending, waiting(pending, factor)),
  };
  records.put(user, before);
  return before;
}

test('boxes of an older version are sealed anew under the same key, those of the newest are left', async () => {
  const deployment = createDeployment();
  const { caller } = await withPending(deployment);
  const { keyring } = deployment;
  const old = await asVersion1(deployment, caller.user);
  assert.deepEqual(versions(old), [1, 1]);
  const { next, event } = (await resealed(keyring, caller.user, old, NOW)) ?? assert.fail();
  const ids = [...old.authenticators, ...(old.pending ? [old.pending] : [])].map(({ id }) => id);
  const actor = { type: 'service' };
  assert.deepEqual(event, { type: 'secrets.resealed', authenticatorIds: ids, at: NOW, actor });
  assert.deepEqual(versions(next), [2, 2]);
  assert.equal(await resealed(keyring, caller.user, next, NOW), undefined);

  const key = await keyring.current('data', NOW);
  const { pending = assert.fail(), ...rest } = next;
  assert.ok(open(pending.secret, caller.user, waiting(pending, next), key));
  for (const one of rest.authenticators) assert.ok(open(one.secret, caller.user, inForce(one), key));
});

test('a success seals a box of an older version anew in the write it makes anyway', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  await asVersion1(deployment, caller.user);
  await verify(deployment, { caller, proof: { code: app.codeAt(NOW) }, client: CLIENT, now: NOW });
  assert.deepEqual(versions(await deployment.records.read(caller.user)), [2]);
  await verify(deployment, {
    caller,
    proof: { code: app.codeAt(NOW + 30) },
    client: CLIENT,
    now: NOW + 30,
  });
});

for (const version of [1, 2]) {
  test(`confirming seals anew for use what was sealed to wait, by version ${version}`, async () => {
    const deployment = createDeployment();
    const { caller, begun, waitingApp } = await withPending(deployment);
    if (version === 1) await asVersion1(deployment, caller.user);
    const { pending = assert.fail() } = await deployment.records.read(caller.user);
    await confirm(deployment, {
      caller,
      authenticatorId: begun.authenticatorId,
      code: waitingApp.codeAt(NOW),
      client: CLIENT,
      now: NOW,
    });
    const factor = await deployment.records.read(caller.user);
    const added = factor.authenticators.at(-1) ?? assert.fail();
    assert.equal(added.id, pending.id);
    assert.equal(added.secret.box[0], 2);
    const key = await deployment.keyring.current('data', NOW);
    assert.ok(open(added.secret, caller.user, inForce(added), key));
  });
}
