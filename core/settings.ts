import * as v from 'valibot';

/** A whole number. Its message says from where to where. */
export function whole(least: number, most: number) {
  const allowed = `a whole number from ${least} to ${most}`;
  return v.pipe(v.number(allowed), v.integer(allowed), v.minValue(least, allowed), v.maxValue(most, allowed));
}

/** An object of these settings and no others. Its message lists them. */
export function group<const E extends v.ObjectEntries>(entries: E) {
  return v.strictObject(entries, `an object of ${Object.keys(entries).join(', ')}`);
}

const between = (least: number, most: number, standard: number) => v.optional(whole(least, most), standard);

/** A realm is one namespace of user ids. It is part of every record's key, so it never changes after the start. */
export const realmName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a realm is 1 to 32 of a-z, 0-9 and -'),
);

/** An issuer and an account label never hold a colon: it parts the two in the otpauth label. */
const label = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(64),
  v.regex(/^[^:]*$/, 'no colon: it parts issuer and account in the otpauth label'),
);

const calendarDate = v.pipe(
  v.string(),
  v.check((text) => isCalendarDate(text), 'a date: 2027-01-31'),
);

const entries = {
  /** The realm of the Cognito pool's users and of Countersign's own tokens. */
  realm: v.optional(realmName, 'users'),
  totp: v.optional(
    group({
      /** The name an authenticator app shows above the code. */
      issuer: v.optional(label, 'Countersign'),
      /** Authenticator apps that ignore the parameter assume SHA1 (RFC 6238 §1.2 allows all three). */
      algorithm: v.optional(v.picklist(['SHA1', 'SHA256', 'SHA512']), 'SHA1'),
      digits: v.optional(v.picklist([6, 8]), 6),
      period: between(15, 120, 30),
      /** Steps accepted on either side of the current one (RFC 6238 §5.2 recommends at most one). */
      window: between(0, 2, 1),
      /** How many authenticators one user may have. */
      authenticators: between(1, 5, 5),
    }),
    {},
  ),
  limits: v.optional(
    group({
      /** The first failure in a row that locks. */
      lockAfter: between(1, 20, 5),
      /** The first lock; each further failure doubles it, up to `LONGEST_LOCK` (limits.ts). */
      lockSeconds: between(1, 3600, 30),
      /** Failures in a row that stop the factor (NIST SP 800-63B-4 §3.2.2: no more than 100). */
      stopAfter: between(5, 100, 100),
    }),
    {},
  ),
  lifetimes: v.optional(
    group({
      accessToken: between(60, 3600, 300),
      challenge: between(30, 600, 120),
      /** Absolute: from the sign-in, whatever is refreshed between. */
      refreshToken: between(300, 7_776_000, 86_400),
      /** How long after its use a refresh token may be used once more, for two tabs that refresh at once. 0: never. */
      refreshGrace: between(0, 60, 5),
      /** How long an enrollment waits for its confirmation. */
      enrollment: between(60, 3600, 600),
      /** How long a ticket that support hands over after a reset is good. */
      enrollmentTicket: between(600, 604_800, 86_400),
      /** How recent a sign-in must be to enroll the first authenticator. */
      recentSignIn: between(60, 3600, 600),
    }),
    {},
  ),
  /**
   * Whether users have to have a second factor. From the date, or so many days after a user's first sign-in that found none,
   * tokens carry the claim `enrollment_required` until there is one, and Countersign's own sessions can do nothing but enroll.
   */
  enrollment: v.optional(
    v.union(
      [
        v.literal('optional'),
        group({ requiredAfter: calendarDate }),
        group({ requiredAfterDays: whole(0, 365) }),
      ],
      '"optional", {"requiredAfter": "2027-01-31"} or {"requiredAfterDays": 14}',
    ),
    'optional',
  ),
  /**
   * The proof for enrolling again after an administrator's reset: the ticket that support hands over, or a password of the pool
   * that is newer than the stop, or than the reset.
   */
  afterReset: v.optional(v.picklist(['ticket', 'new_password']), 'ticket'),
  /** Days a key is in use before the next is made. */
  keyRotationDays: between(1, 365, 90),
  /** Whether a change of the second factor ends the user's Cognito sessions too (AdminUserGlobalSignOut). */
  globalSignOut: v.optional(v.boolean(), false),
};

/**
 * The settings that the operations themselves receive. Part of the configuration in cdk.json, handed to every function as one
 * JSON variable. All times are in seconds.
 */
export const Settings = v.pipe(
  group(entries),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? guessFault(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }),
);

export type Settings = v.InferOutput<typeof Settings>;

/** Failures within 30 days that stop the factor, whatever the successes between. No setting: what follows bounds it. */
export const STOP_WITHIN_30_DAYS = 300;

/** The most that all guesses before a stop may come to, as the chance that one of them is right. */
const MOST_GUESSED = 0.005;

/**
 * Returns why these settings make guessing too easy, with the number; undefined if they do not.
 *
 * A guess is held against every accepted step of every authenticator. The stop within 30 days counts failures over successes
 * too, and `stopAfter` is never more.
 */
export function guessFault({ totp }: Pick<Settings, 'totp'>): string | undefined {
  const accepted = (2 * totp.window + 1) * totp.authenticators;
  const chance = (accepted * STOP_WITHIN_30_DAYS) / 10 ** totp.digits;
  if (chance <= MOST_GUESSED) return undefined;
  const percent = Number((100 * chance).toPrecision(4));
  return `an attacker would guess a code in ${percent} % of cases before a stop; at most ${100 * MOST_GUESSED} % is allowed. Lower totp.authenticators or totp.window, or set totp.digits to 8.`;
}

/** Whether this is a day that there is, as `2027-01-31`: Date itself takes 31 February for 3 March. */
function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${text}T`);
}
