import {
  ApiKey,
  CfnUsagePlanKey,
  type Method,
  Period,
  type Stage,
  UsagePlan,
} from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import type { Config } from './config.ts';
import { pascalCase } from './pascal-case.ts';

export interface ClientKeysProps {
  clients: Config['clients'];
}

/**
 * The API keys of every client. A client has several while one replaces another. API Gateway sets the values.
 *
 * Keys cannot change plans; changing a client's plan creates new keys. API Gateway allows a key in one plan
 * of a stage only, and CloudFormation would add it to the new plan before it removes it from the old one.
 */
export class ClientKeys extends Construct {
  readonly keys: readonly { client: string; name: string; plan: string; key: ApiKey }[];

  constructor(scope: Construct, id: string, { clients }: ClientKeysProps) {
    super(scope, id);
    this.keys = Object.entries(clients).flatMap(([client, { plan, keys }]) =>
      keys.map((name) => ({
        client,
        name,
        plan,
        key: new ApiKey(this, idOf(client, name, plan), {
          description: `Countersign: client ${client}, key ${name}`,
        }),
      })),
    );
  }

  /** Returns the name of the client for each API key's id. The ids are tokens of the CDK. */
  clientNames(): Record<string, string> {
    return Object.fromEntries(this.keys.map(({ client, key }) => [key.keyId, client]));
  }
}

const idOf = (client: string, name: string, plan: string) => `${pascalCase(`${client}-${name}`)}-${plan}`;

/** The open documents have no key: this is all that bounds them. */
const LEAST = { rate: 200, burst: 400 };

/** API Gateway's own bounds, of all APIs of an account in a region. */
const MOST = { rate: 10_000, burst: 5000 };

/**
 * Returns the requests a second that the stage takes for any one operation, over all callers. It is what all API keys together
 * may ask for by their plans, so that the plans alone decide.
 */
export function stageThrottle({ plans, clients }: Pick<Config, 'plans' | 'clients'>) {
  const ofKeys = (field: 'rate' | 'burst') =>
    Object.values(clients).reduce(
      (sum, { plan, keys }) => sum + keys.length * (plans[plan]?.[field] ?? 0),
      0,
    );
  const bounded = (field: 'rate' | 'burst') => Math.min(Math.max(ofKeys(field), LEAST[field]), MOST[field]);
  return { rate: bounded('rate'), burst: bounded('burst') };
}

export interface UsagePlansProps {
  plans: Config['plans'];
  stage: Stage;
  clientKeys: ClientKeys;
  /** Methods that take a code, a password or a refresh token. */
  guessable: Method[];
}

/**
 * A plan for each tier. It limits the requests of each key, and sets a tighter limit on those that can guess.
 */
export class UsagePlans extends Construct {
  constructor(scope: Construct, id: string, { plans, stage, clientKeys, guessable }: UsagePlansProps) {
    super(scope, id);
    const byName = new Map(
      Object.entries(plans).map(([name, plan]) => [
        name,
        new UsagePlan(this, pascalCase(name), {
          description: `Countersign: ${name}`,
          throttle: { rateLimit: plan.rate, burstLimit: plan.burst },
          ...(plan.quotaPerDay && { quota: { limit: plan.quotaPerDay, period: Period.DAY } }),
          apiStages: [
            {
              stage,
              throttle: guessable.map((method) => ({
                method,
                throttle: { rateLimit: plan.guessableRate, burstLimit: plan.guessableBurst },
              })),
            },
          ],
        }),
      ]),
    );
    let before: CfnUsagePlanKey | undefined;
    for (const { client, name, plan, key } of clientKeys.keys) {
      const usagePlan = byName.get(plan);
      if (!usagePlan) throw new Error(`Client ${client} has a plan that does not exist: ${plan}.`);
      const membership = new CfnUsagePlanKey(this, idOf(client, name, plan), {
        keyId: key.keyId,
        keyType: 'API_KEY',
        usagePlanId: usagePlan.usagePlanId,
      });
      // One after the other: API Gateway answers 409 to some of several concurrent requests.
      if (before) membership.addResourceDependency(before);
      before = membership;
    }
  }
}
