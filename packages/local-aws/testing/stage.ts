import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../src/clock.ts';
import type { Call, Context, Fault } from '../src/context.ts';
import type { Principal, Statement } from '../src/iam/policy.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';

/** Context for one test: principals by policy, the calls seen, and the fault to play on the next call. */
export function createStage() {
  const principals = new Map<string, Principal>();
  const calls: Call[] = [];
  const faults: Fault[] = [];
  const clock = createClock();
  const context: Context = {
    clock,
    region: REGION,
    account: ACCOUNT,
    principal: (accessKeyId) => principals.get(accessKeyId),
    onCall: (call) => void calls.push(call),
    fault: () => faults.shift(),
  };
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'));

  return {
    context,
    clock,
    calls,
    faults,
    folder,
    /** A function under a role of this name, with these policies. */
    principal(name: string, policies: Statement[]): Principal {
      const principal: Principal = {
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${name}`,
        accessKeyId: `ASIA${name.toUpperCase()}`,
        secretAccessKey: `secret-of-${name}`,
        sessionToken: `session-of-${name}`,
        policies,
      };
      principals.set(principal.accessKeyId, principal);
      return principal;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A client's settings: it signs as the principal, and tries once unless told otherwise. */
export function clientOf(principal: Principal, endpoint: string, maxAttempts = 1) {
  const { accessKeyId, secretAccessKey, sessionToken } = principal;
  return {
    region: REGION,
    endpoint,
    maxAttempts,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  };
}

/** One Allow. */
export function allow(
  action: string | string[],
  resource: string | string[],
  condition?: Statement['Condition'],
): Statement {
  return {
    Effect: 'Allow',
    Action: action,
    Resource: resource,
    ...(condition ? { Condition: condition } : {}),
  };
}
