import { setTimeout } from 'node:timers/promises';

/** Seconds to wait, one after the other. IAM is eventually consistent: changes may take a minute to be in force. */
const POLICY_WAITS = [2, 4, 8, 16, 30];

/**
 * Retries the work while AWS denies access: right after a deployment a function may not be allowed yet what its new role
 * says.
 *
 * @param waits seconds
 * @throws what the work throws otherwise, and the denial that is left in the end
 */
export async function retryWhileDenied<T>(work: () => Promise<T>, waits = POLICY_WAITS): Promise<T> {
  for (const seconds of waits) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AccessDeniedException') throw error;
      await setTimeout(seconds * 1000);
    }
  }
  return work();
}
