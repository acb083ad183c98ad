import type { Clock } from '../clock.ts';
import type { Api, ApiKey, Method, Throttle, UsagePlan } from './template.ts';

export interface Throttling {
  /** Counts the request, and returns the limit that it exceeds, if any. */
  admit(method: Method, key: ApiKey | undefined): 'THROTTLED' | 'QUOTA_EXCEEDED' | undefined;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * Applies the limits of the stage and the usage plans, by token buckets. In a plan, a method with its own limit has its
 * own bucket for each key. They count exactly; on AWS, "usage plan throttling and quotas are not hard limits".
 */
export function createThrottling(api: Api, clock: Clock): Throttling {
  const buckets = new Map<string, Bucket>();
  const used = new Map<string, { period: string; count: number }>();

  function take(name: string, { rate, burst }: Throttle): boolean {
    const now = clock.now();
    const bucket = buckets.get(name) ?? { tokens: burst, filledAt: now };
    const gained = Math.max(0, (now - bucket.filledAt) / 1000) * rate;
    const tokens = Number.isNaN(gained) ? burst : Math.min(burst, bucket.tokens + gained);
    const admitted = tokens >= 1;
    buckets.set(name, { tokens: admitted ? tokens - 1 : tokens, filledAt: now });
    return admitted;
  }

  function withinQuota(plan: UsagePlan, key: ApiKey): boolean {
    if (!plan.quota) return true;
    const name = `${plan.id}/${key.id}`;
    const period = periodOf(clock.now(), plan.quota.period);
    const before = used.get(name);
    const count = before?.period === period ? before.count : 0;
    if (count >= plan.quota.limit) return false;
    used.set(name, { period, count: count + 1 });
    return true;
  }

  return {
    admit(method, key) {
      const name = `${method.resourcePath}/${method.httpMethod}`;
      const plan = key && planOf(api, key);
      if (key && plan) {
        const own = plan.methods.get(name);
        const limit = own ?? plan.throttle;
        if (limit && !take(`${plan.id}/${key.id}${own ? name : ''}`, limit)) return 'THROTTLED';
        if (!withinQuota(plan, key)) return 'QUOTA_EXCEEDED';
      }
      const stage = api.throttles.get(name) ?? api.throttles.get('*/*');
      return stage && !take(`stage${name}`, stage) ? 'THROTTLED' : undefined;
    },
  };
}

/** A key is in one usage plan for each stage. */
export function planOf(api: Api, key: ApiKey): UsagePlan | undefined {
  return api.plans.find((plan) => plan.keyIds.has(key.id));
}

/** Names the period of a time, by UTC. Weeks begin on Sunday. */
function periodOf(now: number, period: 'DAY' | 'WEEK' | 'MONTH'): string {
  const date = new Date(now);
  if (period === 'MONTH') return date.toISOString().slice(0, 7);
  if (period === 'WEEK') date.setUTCDate(date.getUTCDate() - date.getUTCDay());
  return date.toISOString().slice(0, 10);
}
