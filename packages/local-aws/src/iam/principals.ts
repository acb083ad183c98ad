import { randomBytes } from 'node:crypto';
import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import { mixedCase, upperCase } from '../cloudformation/identifiers.ts';
import type { Principal, Statement } from './policy.ts';
import { policiesOf, roleOf } from './roles.ts';

export interface Principals {
  find(accessKeyId: string): Principal | undefined;
  all(): Iterable<Principal>;
  /** Adds somebody who may sign requests. */
  add(principal: Principal): void;
  /** A session of the function's role, with credentials made for this run. */
  ofFunction(lambdaFunction: Resource): Principal & { sessionToken: string };
  /** A user of this account, with credentials that stay the same over restarts. */
  user(name: string, policies: Statement[]): Principal;
}

/** Keeps everybody who may sign requests on this machine. */
export function createPrincipals(deployment: Deployment): Principals {
  const { identifiers } = deployment;
  const byAccessKey = new Map<string, Principal>();
  const add = <P extends Principal>(principal: P): P => {
    byAccessKey.set(principal.accessKeyId, principal);
    return principal;
  };
  return {
    find: (accessKeyId) => byAccessKey.get(accessKeyId),
    all: () => byAccessKey.values(),
    add,
    ofFunction(lambdaFunction) {
      const role = roleOf(deployment, lambdaFunction);
      return add({
        arn: `arn:aws:sts::${deployment.account}:assumed-role/${role.ref}/${lambdaFunction.ref}`,
        accessKeyId: `ASIA${upperCase(16)()}`,
        secretAccessKey: mixedCase(40)(),
        sessionToken: randomBytes(48).toString('base64'),
        policies: policiesOf(deployment, role),
      });
    },
    user: (name, policies) =>
      add({
        arn: `arn:aws:iam::${deployment.account}:user/${name}`,
        accessKeyId: identifiers.get(`user/${name}/access-key`, () => `AKIA${upperCase(16)()}`),
        secretAccessKey: identifiers.get(`user/${name}/secret`, mixedCase(40)),
        policies,
      }),
  };
}
