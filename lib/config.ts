import * as v from 'valibot';
import { group, realmName, Settings, whole } from '../core/settings.ts';
import { crossFaults } from './config-rules.ts';
import { takeUnknown, valueFaults } from './faults.ts';

const name = (pattern: RegExp, allowed: string) => v.pipe(v.string(), v.regex(pattern, allowed));
/** The limits that a rate-based rule of AWS WAF takes. */
const perAddress = whole(10, 2_000_000_000);
const RATE = 'a number from 0.1 to 10000';
const perSecond = v.pipe(v.number(RATE), v.minValue(0.1, RATE), v.maxValue(10_000, RATE));

const isSafeUrl = (text: string) => {
  if (!URL.canParse(text) || /[?#\s]|\/$/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username || password) return false;
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1'].includes(hostname));
};
const url = v.pipe(
  v.string(),
  v.check(
    isSafeUrl,
    'an https URL (http on localhost only) with no query, no fragment and no slash at its end',
  ),
);
const origin = v.pipe(
  v.string(),
  v.check(
    (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? '') && URL.parse(text)?.origin === text,
    'an origin as browsers send it: scheme://host or scheme://host:port, in lower case, nothing behind it',
  ),
);

const Plan = group({
  /** Requests a second, over all operations, for each API key. */
  rate: perSecond,
  burst: whole(1, 5000),
  /** The same for each operation that takes a code, a password or a refresh token. */
  guessableRate: perSecond,
  guessableBurst: whole(1, 5000),
  /** Requests a day; none by default, for a key in a browser is no secret and anyone could spend it. */
  quotaPerDay: v.optional(whole(1, 1_000_000_000)),
});

const Client = group({
  plan: v.string(),
  /** Names of its API keys. Two at once replace one without a gap. */
  keys: v.pipe(
    v.array(name(/^[A-Za-z0-9-]{1,32}$/, 'a key is named by 1 to 32 letters, digits and -')),
    v.minLength(1),
  ),
});

const TrustedIssuer = group({
  /** The namespace of this issuer's users; no other issuer's. */
  realm: realmName,
  issuer: url,
  jwksUri: url,
  algorithms: v.optional(v.pipe(v.array(v.picklist(['RS256', 'PS256', 'ES256', 'EdDSA'])), v.minLength(1)), [
    'RS256',
  ]),
  /** Accepted `aud` values. */
  audience: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
  /** Accepted `client_id` values. */
  clientIds: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
  /** The claim that labels the account in the authenticator app. */
  accountClaim: v.optional(v.pipe(v.string(), v.minLength(1)), 'sub'),
});

/** Settings of earlier versions, and what is so instead. */
const removed = {
  stage: 'the stage is prod',
  throttle: 'every operation takes what the plans of all API keys come to, and at least 200 a second',
  'limits.lockSecondsMost': 'the longest lock is 900 seconds, or limits.lockSeconds if that is more',
  'limits.stopWithin30Days': '300 wrong codes within 30 days stop codes',
  'lifetimes.keyHold': 'functions cache keys for 300 seconds',
};

/** The days CloudWatch Logs allows (PutRetentionPolicy). */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** The one configuration, `countersign` in the context of cdk.json: how it is deployed, and what operations are told. */
export const Config = group({
  ...Settings.entries,
  /** Starts the name of every stack. */
  name: v.optional(
    name(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, '1 to 64 letters, digits and -, a letter first'),
    'Countersign',
  ),
  /** `iss` of own tokens. By default the URL of the stage. */
  issuer: v.optional(url),
  /** Issuers whose own tokens stay acceptable, after a change of `issuer`. */
  formerIssuers: v.optional(v.array(url), []),
  /** `aud` of own access tokens. By default the issuer. */
  audience: v.optional(v.pipe(v.string(), v.minLength(1))),
  /** AWS WAF: requests that one address may make in five minutes. Off by default, since it costs something every month. */
  firewall: v.optional(
    group({
      requestsPerAddress: perAddress,
      /** The same, of what takes a code, a password or a refresh token. */
      guessablePerAddress: perAddress,
    }),
  ),
  cors: v.optional(group({ origins: v.optional(v.array(origin), []) }), {}),
  plans: v.optional(v.record(name(/^[A-Za-z0-9-]{1,32}$/, '1 to 32 letters, digits and -'), Plan), {
    standard: { rate: 50, burst: 100, guessableRate: 10, guessableBurst: 20 },
    limited: { rate: 5, burst: 10, guessableRate: 1, guessableBurst: 5 },
  }),
  clients: v.optional(v.record(name(/^[A-Za-z0-9-]{1,32}$/, '1 to 32 letters, digits and -'), Client), {
    app: { plan: 'standard', keys: ['first'] },
    trial: { plan: 'limited', keys: ['first'] },
  }),
  /** An existing Cognito pool. By default a new one is made. */
  userPool: v.optional(
    group({
      id: name(/^[a-z0-9-]+_[A-Za-z0-9]+$/, 'the id of a pool in the same region: eu-west-1_aBcDeFgHi'),
      /** Its own app clients whose access tokens the management endpoints take, beside Countersign's. */
      clientIds: v.optional(v.array(name(/^[\w+]{1,128}$/, 'the id of an app client')), []),
      /** What tokens of Countersign's clients may change of a user besides; all that the pool requires has to be here. */
      writableAttributes: v.optional(
        v.array(
          name(
            /^(?!sub$)(?!.*_verified$)(?:custom:)?[\p{L}\p{M}\p{N}_-]{1,32}$/u,
            'an attribute that a client may write: email, phone_number, custom:tier',
          ),
        ),
        [],
      ),
    }),
  ),
  trustedIssuers: v.optional(v.array(TrustedIssuer), []),
  logRetentionDays: v.optional(v.picklist(retentionDays), 90),
  /** Makes the account-wide role that access logs need. Off where the account has one. */
  cloudWatchRole: v.optional(v.boolean(), true),
  /** `destroy` lets a deleted stack take its table, keys and pool with it. */
  removal: v.optional(v.picklist(['retain', 'destroy']), 'retain'),
  /** MB for each function; the processor's share grows with it. */
  memory: v.optional(whole(128, 10_240), 512),
});
export type Config = v.InferOutput<typeof Config>;

/**
 * The configuration with every default filled in. `undefined` is an empty one.
 *
 * @throws Error that lists every fault: its path, what was given, what is allowed. Conflicts are reported
 * once every setting is of the right type.
 */
export function readConfig(context: unknown): Config {
  const given: unknown = structuredClone(context ?? {});
  const faults = takeUnknown(Config, given, removed);
  const parsed = v.safeParse(Config, given);
  faults.push(...valueFaults(parsed.issues ?? []));
  if (parsed.typed) faults.push(...crossFaults(parsed.output));
  if (parsed.success && faults.length === 0) return parsed.output;
  throw new Error(
    ['The configuration, "countersign" in the context of cdk.json, is not usable:', ...faults].join('\n  '),
  );
}
