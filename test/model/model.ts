/**
 * What should hold of one user's second factor, and nothing of how: a state, and for each operation what it has to
 * answer and the state after it. Written from the contract; imports nothing of the service.
 */

export interface Rules {
  /** Steps are 30 seconds, one on either side is accepted. */
  authenticators: number;
  lockAfter: number;
  lockSeconds: number;
  lockSecondsMost: number;
  stopAfter: number;
  stopWithin30Days: number;
  accessToken: number;
  challenge: number;
  refreshToken: number;
  enrollment: number;
  recentSignIn: number;
}

export type Proof = { code: string } | { backupCode: string };

interface Caller {
  /** Whose record it is about. */
  user: string;
  /** The client whose API key it carries. */
  client: string;
}

export type Op = Caller &
  (
    | { name: 'login'; password: 'right' | 'wrong' }
    | { name: 'verify-login'; token: string; proof: Proof }
    | { name: 'refresh' | 'logout' | 'status'; token: string }
    | { name: 'enroll'; token: string; proof: Proof | undefined; password: 'right' | 'wrong' | undefined }
    | { name: 'confirm'; token: string; authenticatorId: string; code: string }
    | { name: 'verify'; token: string; proof: Proof }
    | { name: 'disable'; token: string; proof: Proof; authenticatorId: string | undefined }
    | { name: 'rotate-backup-codes'; token: string; code: string }
    | { name: 'admin-status' | 'admin-unlock' | 'admin-reset' | 'admin-revoke-sessions' }
  );

/** What was answered: `ok` or the error's code, and the body with the access token's `amr`, `acr` and `auth_time`. */
export interface Answer {
  outcome: string;
  body: Record<string, unknown>;
}

interface Token {
  kind: 'access' | 'challenge' | 'refresh';
  client: string;
  expiresAt: number;
  /** When somebody last proved who they are. */
  provedAt: number;
  amr: string[];
  /** The first refresh token of its session (that of a challenge is still to come), and how often it was refreshed before. */
  family: string;
  sequence: number;
}

export interface State {
  /** Whether anything was ever written of this user. */
  known: boolean;
  /** Authenticator → the last time step of which a code was accepted. */
  authenticators: Record<string, number>;
  pending: { id: string; expiresAt: number } | undefined;
  backupCodes: string[];
  /** In a row. */
  failures: number;
  lockedUntil: number;
  /** When the failures were that no reset has forgiven. */
  failedAt: number[];
  /** Tokens that no change of the factor has made void. */
  alive: Record<string, Token>;
  /** Tokens that a change has made void: a session can still be ended by one. */
  void: Record<string, Token>;
  /** Challenges answered. */
  answered: string[];
  /** Session → the refresh token that is next, by number. */
  families: Record<string, number | 'ended'>;
}

export const nobody: State = {
  known: false,
  authenticators: {},
  pending: undefined,
  backupCodes: [],
  failures: 0,
  lockedUntil: 0,
  failedAt: [],
  alive: {},
  void: {},
  answered: [],
  families: {},
};

export interface Expected {
  outcome: string;
  /** What the answer's body has to say. */
  says: Record<string, unknown>;
  /** The state after it, given what was handed out. */
  next(body: Record<string, unknown>): State;
  /** For an operation that writes: what it answers where another write came between its read and its own. */
  beaten?: 'code_rejected' | 'conflict';
}

/** Steps (of the current one and its neighbours) whose code this is, for an authenticator. */
export type StepsOf = (authenticatorId: string, code: string, now: number) => number[];

export function expected(state: State, op: Op, now: number, rules: Rules, stepsOf: StepsOf): Expected {
  const enabled = Object.keys(state.authenticators).length > 0;

  switch (op.name) {
    case 'login': {
      if (op.password === 'wrong') return refused('invalid_credentials');
      if (!enabled) return session(state, now, ['pwd'], { status: 'authenticated', totpEnabled: false });
      const challenge = token('challenge', now + rules.challenge, now, ['pwd']);
      return done({ status: 'challenge', expiresIn: rules.challenge }, ({ challengeToken }) =>
        issued(state, challengeToken, challenge),
      );
    }
    case 'verify-login': {
      const challenge = valid('challenge', op.token);
      if (!challenge || state.answered.includes(op.token)) return refused('challenge_invalid');
      return attempt(proven(op.proof), (after) =>
        session({ ...after, answered: [...after.answered, op.token] }, now, ['pwd', 'otp', 'mfa'], {
          method: 'code' in op.proof ? 'totp' : 'backup_code',
          backupCodesRemaining: 'code' in op.proof ? undefined : after.backupCodes.length,
        }),
      );
    }
    case 'refresh': {
      const old = valid('refresh', op.token);
      if (!old) return refused('refresh_token_invalid');
      const { family, sequence, provedAt, amr, expiresAt } = old;
      if ((state.families[family] ?? 0) !== sequence) {
        return { ...refused('refresh_token_invalid'), next: () => familyAt(family, 'ended') };
      }
      return session(familyAt(family, sequence + 1), provedAt, amr, {}, { family, sequence, expiresAt });
    }
    case 'logout': {
      const old = valid('refresh', op.token) ?? valid('refresh', op.token, state.void);
      if (!old) return refused('refresh_token_invalid');
      return done({}, () => familyAt(old.family, 'ended'));
    }
    case 'status':
      return valid('access', op.token) ? done(statusOf(), () => state) : refused('token_invalid');
    case 'enroll': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (Object.keys(state.authenticators).length >= rules.authenticators)
        return refused('authenticator_limit');
      const begun = (from: State) =>
        done({}, ({ authenticatorId }) => ({
          ...from,
          known: true,
          pending: { id: String(authenticatorId), expiresAt: now + rules.enrollment },
        }));
      if (enabled) {
        if (!op.proof || op.password) return refused('invalid_request');
        return attempt(proven(op.proof), begun);
      }
      if (op.proof) return refused('totp_not_enabled');
      const unfit = unfitForFirst(caller) ?? shut(state, now, rules);
      if (unfit) return unfit;
      if (op.password !== 'right') return refused(op.password ? 'invalid_credentials' : 'invalid_request');
      return { ...begun(state), beaten: 'conflict' };
    }
    case 'confirm': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      const unfit = enabled ? undefined : unfitForFirst(caller);
      if (unfit) return unfit;
      const { pending } = state;
      if (pending?.id !== op.authenticatorId || pending.expiresAt <= now)
        return refused('enrollment_not_found');
      const step = stepsOf(pending.id, op.code, now).at(-1);
      if (step === undefined) return attempt(undefined, () => refused('code_rejected'));
      const authenticators = { ...state.authenticators, [pending.id]: step };
      // What proves the new authenticator forgives nothing that failed on those in force.
      const grown = enabled ? state : { ...state, failures: 0, lockedUntil: 0 };
      return attempt({ ...grown, authenticators }, (after) => change(after, { newCodes: enabled ? 0 : 10 }));
    }
    case 'verify': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (!enabled) return refused('totp_not_enabled');
      const access = { ...token('access', now + rules.accessToken, now, PROVED), family: caller.family };
      return attempt(proven(op.proof), (after) =>
        done(
          {
            ...saidOf(access),
            method: 'code' in op.proof ? 'totp' : 'backup_code',
            refreshToken: undefined,
          },
          ({ accessToken }) => issued(after, accessToken, access),
        ),
      );
    }
    case 'disable': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (!enabled) return refused('totp_not_enabled');
      const { authenticatorId } = op;
      if (authenticatorId !== undefined && !Object.hasOwn(state.authenticators, authenticatorId))
        return refused('authenticator_not_found');
      return attempt(proven(op.proof), (after) => {
        const left = Object.entries(after.authenticators).filter(
          ([id]) => authenticatorId !== undefined && id !== authenticatorId,
        );
        const removed =
          left.length > 0 ? { ...after, authenticators: Object.fromEntries(left) } : emptied(after);
        return change(removed, { enabled: left.length > 0 });
      });
    }
    case 'rotate-backup-codes': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (!enabled) return refused('totp_not_enabled');
      return attempt(proven({ code: op.code }), (after) => change(after, { newCodes: 10 }));
    }
    case 'admin-status':
      return state.known ? done(adminStatusOf(state), () => state) : refused('user_not_found');
    case 'admin-unlock': {
      if (!state.known) return refused('user_not_found');
      if (stopped(state, now, rules)) return refused('factor_stopped');
      return administered({ ...state, failures: 0, lockedUntil: 0 });
    }
    case 'admin-reset':
      if (!state.known) return refused('user_not_found');
      return administered(cut({ ...emptied(state), failures: 0, lockedUntil: 0, failedAt: [] }));
    case 'admin-revoke-sessions':
      return { ...done({}, () => ({ ...cut(state), known: true })), beaten: 'conflict' };
  }

  // Answers

  function refused(outcome: string): Expected {
    return { outcome, says: {}, next: () => state };
  }
  function done(says: Expected['says'], next: Expected['next']): Expected {
    return { outcome: 'ok', says, next };
  }
  function administered(after: State): Expected {
    return { ...done(adminStatusOf(after), () => after), beaten: 'conflict' };
  }
  function statusOf() {
    return {
      enabled,
      authenticators: Object.keys(state.authenticators),
      backupCodesRemaining: state.backupCodes.length,
    };
  }
  function adminStatusOf(of: State) {
    const authenticators = Object.keys(of.authenticators);
    return {
      enabled: authenticators.length > 0,
      authenticators,
      backupCodesRemaining: of.backupCodes.length,
      failures: of.failures,
      lockedUntil: of.lockedUntil > now ? of.lockedUntil : null,
      stopped: stopped(of, now, rules),
    };
  }

  // One attempt: heard only while nothing closes it, and a failure more where it is wrong.

  function attempt(after: State | undefined, granted: (after: State) => Expected): Expected {
    const closed = shut(state, now, rules);
    if (closed) return closed;
    const answer = after ? granted(after) : { ...refused('code_rejected'), next: failed };
    return { ...answer, beaten: 'code_rejected' };
  }
  function failed(): State {
    const failures = state.failures + 1;
    const lock = Math.min(rules.lockSeconds * 2 ** (failures - rules.lockAfter), rules.lockSecondsMost);
    return {
      ...state,
      failures,
      lockedUntil: failures >= rules.lockAfter ? now + lock : state.lockedUntil,
      failedAt: [...state.failedAt, now],
    };
  }
  /** The state once this proof is spent; undefined where it is wrong or was spent before. */
  function proven(proof: Proof): State | undefined {
    const forgiven = { ...state, failures: 0, lockedUntil: 0 };
    if ('backupCode' in proof) {
      const backupCodes = state.backupCodes.filter((good) => good !== proof.backupCode);
      return backupCodes.length < state.backupCodes.length ? { ...forgiven, backupCodes } : undefined;
    }
    const authenticators = { ...state.authenticators };
    let right = false;
    for (const [id, last] of Object.entries(state.authenticators)) {
      const steps = stepsOf(id, proof.code, now);
      if (steps.some((step) => step <= last)) return undefined;
      const highest = steps.at(-1);
      if (highest === undefined) continue;
      authenticators[id] = highest;
      right = true;
    }
    return right ? { ...forgiven, authenticators } : undefined;
  }

  // Tokens and sessions

  function valid(kind: Token['kind'], given: string, among = state.alive): Token | undefined {
    const known = among[given];
    const bound = kind === 'access' || known?.client === op.client;
    return known?.kind === kind && bound && known.expiresAt > now ? known : undefined;
  }
  /** The first authenticator wants a session that is recent and goes on. */
  function unfitForFirst({ provedAt, family }: Token): Expected | undefined {
    if (now - provedAt > rules.recentSignIn) return refused('recent_sign_in_required');
    return state.families[family] === 'ended' ? refused('token_invalid') : undefined;
  }
  function token(kind: Token['kind'], expiresAt: number, provedAt: number, amr: string[]): Token {
    return { kind, client: op.client, expiresAt, provedAt, amr, family: '', sequence: 0 };
  }
  function saidOf({ amr, provedAt }: Token) {
    const acr = `urn:countersign:${amr.includes('mfa') ? 2 : 1}fa`;
    return { amr, acr, auth_time: provedAt };
  }
  function issued(to: State, value: unknown, what: Token): State {
    return { ...to, alive: { ...to.alive, [String(value)]: what } };
  }
  /** A new session, or the next pair of an old one. */
  function session(
    to: State,
    provedAt: number,
    amr: string[],
    says: Expected['says'],
    old?: { family: string; sequence: number; expiresAt: number },
  ): Expected {
    const access = token('access', now + rules.accessToken, provedAt, amr);
    const refresh = token('refresh', old?.expiresAt ?? now + rules.refreshToken, provedAt, amr);
    return done({ ...saidOf(access), ...says }, ({ accessToken, refreshToken }) => {
      const family = old?.family ?? String(refreshToken);
      const sequence = old ? old.sequence + 1 : 0;
      const next = issued(to, accessToken, { ...access, family });
      return issued(next, refreshToken, { ...refresh, family, sequence });
    });
  }
  function familyAt(family: string, next: number | 'ended'): State {
    const at = state.families[family] === 'ended' ? 'ended' : next;
    return { ...state, families: { ...state.families, [family]: at } };
  }
  /** Every session and every challenge there is ends, and an enrolment that waits. */
  function cut(of: State): State {
    return { ...of, pending: undefined, alive: {}, void: { ...of.void, ...of.alive } };
  }
  /** A change of the factor: the session that proved it goes on as a new one, every other ends. */
  function change(to: State, { newCodes = 0, ...says }: { newCodes?: number; enabled?: boolean }): Expected {
    const answer = session(cut(to), now, PROVED, { ...says, shown: newCodes });
    return {
      ...answer,
      next: (body) =>
        newCodes > 0
          ? { ...answer.next(body), backupCodes: body['backupCodes'] as string[] }
          : answer.next(body),
    };
  }
}

/** What somebody hears, whatever their code is, where nobody is heard. */
export function shut(state: State, now: number, rules: Rules): Expected | undefined {
  const refusal = { says: {}, next: () => state };
  if (stopped(state, now, rules)) return { ...refusal, outcome: 'factor_stopped' };
  if (state.lockedUntil <= now) return undefined;
  return { ...refusal, outcome: 'too_many_attempts', says: { retryAfter: state.lockedUntil - now } };
}

function stopped({ failures, failedAt }: State, now: number, rules: Rules): boolean {
  const lately = failedAt.filter((at) => at > now - 30 * 86_400);
  return failures >= rules.stopAfter || lately.length >= rules.stopWithin30Days;
}

function emptied(state: State): State {
  return { ...state, authenticators: {}, backupCodes: [] };
}

/** Every session here began with the password. */
const PROVED = ['pwd', 'otp', 'mfa'];
