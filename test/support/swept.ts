import { sweep } from '../../core/sweep.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, createDeployment, NOW, type Person } from '../support/deployment.ts';
import { createMemorySweepStore } from '../support/memory-sweep-store.ts';

/** From this time on, every container uses a new key, and none uses the previous one. */
export const LATER = NOW + 600;

/** Returns a deployment, with sweeps over its records. */
export function swept(pageSize?: number) {
  const deployment = createDeployment();
  const store = createMemorySweepStore(deployment.records, deployment.keyring, pageSize);
  const dataKeys = () => deployment.keyring.keys('data').map(({ id }) => id);
  return {
    deployment,
    store,
    dataKeys,
    run: (now: number, next: () => Promise<number | undefined> = async () => now, more = {}) =>
      sweep({ ...deployment, store: store.run(), ...more }, now, next),
    /** Returns the ids of the keys that the records are sealed under. */
    inUse: () => {
      const all = deployment.records.all().map(({ factor }) => factor);
      return new Set(
        all.flatMap(({ authenticators, pending }) =>
          [...authenticators, ...(pending ? [pending] : [])].map(({ secret }) => secret.keyId),
        ),
      );
    },
  };
}

/** Verifies a correct code at that time. */
export const accepted = (
  deployment: ReturnType<typeof createDeployment>,
  { caller, app }: Person,
  now: number,
) => verify(deployment, { caller, proof: { code: app.codeAt(now) }, client: CLIENT, now });
