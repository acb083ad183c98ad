/**
 * Models one user's second factor: a state, and for each operation the required answer and the state after
 * it. It says what must hold, not how. It is written from the contract and imports nothing of the service.
 */

export interface Rules {
  /**
   * Most authenticators a user can have. A step takes 30 seconds, and one step on either side is accepted.
   */
  authenticators: number;
  lockAfter: number;
  lockSeconds: number;
  lockSecondsMost: number;
  stopAfter: number;
  stopWithin30Days: number;
  accessToken: number;
  challenge: number;
  refreshToken: number;
  refreshGrace: number;
  enrollment: number;
  enrollmentTicket: number;
  recentSignIn: number;
}

export type Proof = { code: string } | { backupCode: string } | { enrollmentTicket: string };

interface Caller {
  /** The user whose record it concerns. */
  user: string;
  /** The client whose API key the request carries. */
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

/** An answer: `ok` or the error's code, and the body with the access token's `amr`, `acr` and `auth_time`. */
export interface Answer {
  outcome: string;
  body: Record<string, unknown>;
}

interface Token {
  kind: 'access' | 'challenge' | 'refresh';
  client: string;
  expiresAt: number;
  /** When the user last proved who they are, in seconds since the epoch. */
  provedAt: number;
  amr: string[];
  /** Whether the token is valid for enrolling only. */
  enrollsOnly: boolean;
  /**
   * The session's first refresh token, which a challenge does not have yet. `sequence` counts the refreshes
   * before this.
   */
  family: string;
  sequence: number;
}

interface Family {
  /** Sequence number of the refresh token to use next. */
  next: number;
  /** When that token became the next one. */
  since: number;
  /** Whether the previous token was used a second time since then. */
  again: boolean;
}

export interface State {
  /** Whether this user ever had a record. */
  known: boolean;
  /** Authenticator → the last time step whose code was accepted. */
  authenticators: Record<string, number>;
  /** Authenticator → when it was confirmed. */
  confirmedAt: Record<string, number>;
  pending: { id: string; expiresAt: number; failures: number } | undefined;
  backupCodes: string[];
  /** The ticket that a reset requires for the next enrollment. */
  ticket: { value: string; expiresAt: number } | undefined;
  /** Consecutive wrong codes. */
  failures: number;
  /** Consecutive wrong backup codes and tickets, at most a hundred. */
  backupFailures: number;
  lockedUntil: number;
  /** When codes were stopped. Undefined once support or a replacement has ended the stop. */
  stoppedAt: number | undefined;
  /** Times of the wrong codes that nothing has cleared. */
  failedAt: number[];
  /** Tokens that no change of the factor has revoked. */
  alive: Record<string, Token>;
  /** Tokens that a change has revoked. A refresh token among them can still end its session. */
  void: Record<string, Token>;
  /** Answered challenges. */
  answered: string[];
  /** Session → its refresh family. No entry before its first refresh. */
  families: Record<string, Family | 'ended'>;
}

export const nobody: State = {
  known: false,
  authenticators: {},
  confirmedAt: {},
  pending: undefined,
  backupCodes: [],
  ticket: undefined,
  failures: 0,
  backupFailures: 0,
  lockedUntil: 0,
  stoppedAt: undefined,
  failedAt: [],
  alive: {},
  void: {},
  answered: [],
  families: {},
};

export interface Expected {
  outcome: string;
  /** Members that the answer's body must have. */
  says: Record<string, unknown>;
  /** Returns the state afterwards, given the body of the answer. */
  next(body: Record<string, unknown>): State;
  /**
   * The answer of a writing operation if another write came between its read and its own. A code gets the
   * answer of `shut` if the record is locked or stopped by then. A backup code is never shut out.
   */
  beaten?: 'code_rejected or shut' | 'code_rejected' | 'conflict';
}

/** Returns the steps whose code this is for an authenticator, among the current step and its neighbours. */
export type StepsOf = (authenticatorId: string, code: string, now: number) => number[];

export function expected(state: State, op: Op, now: number, rules: Rules, stepsOf: StepsOf): Expected {
  const enabled = Object.keys(state.authenticators).length > 0;

  switch (op.name) {
    case 'login': {
      if (op.password === 'wrong') return refused('invalid_credentials');
      if (!enabled && !state.ticket)
        return session(state, now, ['pwd'], {
          status: 'authenticated',
          totpEnabled: false,
          enrollmentRequired: undefined,
        });
      const challenge = token('challenge', now + rules.challenge, now, ['pwd']);
      const methods = enabled ? ['totp', 'backup_code'] : ['enrollment_ticket'];
      return done({ status: 'challenge', expiresIn: rules.challenge, methods }, ({ challengeToken }) =>
        issued(state, challengeToken, challenge),
      );
    }
    case 'verify-login': {
      const challenge = valid('challenge', op.token);
      if (!challenge || state.answered.includes(op.token)) return refused('challenge_invalid');
      if ('enrollmentTicket' in op.proof === enabled) return refused('invalid_request');
      return attempt(op.proof, proven(op.proof), (after) => {
        const answered = { ...after, answered: [...after.answered, op.token] };
        if ('enrollmentTicket' in op.proof)
          return session(answered, now, ['pwd'], { method: 'enrollment_ticket', enrollmentRequired: true });
        return session(answered, now, ['pwd', 'otp', 'mfa'], {
          method: 'code' in op.proof ? 'totp' : 'backup_code',
          backupCodesRemaining: 'code' in op.proof ? undefined : after.backupCodes.length,
        });
      });
    }
    case 'refresh': {
      const old = valid('refresh', op.token);
      if (!old) return refused('refresh_token_invalid');
      if (!enabled && state.ticket) return refused('enrollment_required');
      const { family, sequence, provedAt, amr, expiresAt } = old;
      const at = state.families[family];
      const replayed = { ...refused('refresh_token_invalid'), next: () => familyAt(family, 'ended') };
      if (at === 'ended') return replayed;
      const advanced =
        (at?.next ?? 0) === sequence
          ? { next: sequence + 1, since: now, again: false }
          : usedAgain(at, sequence);
      if (!advanced) return replayed;
      return session(familyAt(family, advanced), provedAt, amr, {}, { family, sequence, expiresAt });
    }
    case 'logout': {
      const old = valid('refresh', op.token) ?? valid('refresh', op.token, state.void);
      if (!old) return refused('refresh_token_invalid');
      return done({}, () => familyAt(old.family, 'ended'));
    }
    case 'status': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      return caller.enrollsOnly ? refused('enrollment_required') : done(statusOf(), () => state);
    }
    case 'enroll': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (Object.keys(state.authenticators).length >= rules.authenticators)
        return refused('authenticator_limit');
      const begun = (from: State) =>
        done({}, ({ authenticatorId }) => ({
          ...from,
          known: true,
          pending: { id: String(authenticatorId), expiresAt: now + rules.enrollment, failures: 0 },
        }));
      const { proof } = op;
      const byTicket = proof !== undefined && 'enrollmentTicket' in proof;
      if (enabled) {
        if (!proof || byTicket || op.password) return refused('invalid_request');
        return attempt(proof, proven(proof), begun);
      }
      if (state.ticket && !byTicket) return refused('enrollment_ticket_required');
      if (!state.ticket && proof) return refused(byTicket ? 'invalid_request' : 'not_enrolled');
      const unfit = unfitForFirst(caller);
      if (unfit) return unfit;
      if (op.password !== 'right') return refused(op.password ? 'invalid_credentials' : 'invalid_request');
      if (proof) return attempt(proof, proven(proof), begun);
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
      // The code proves only the pending secret, so locks and stops do not apply. Five wrong codes end the
      // enrollment.
      const step = stepsOf(pending.id, op.code, now).at(-1);
      if (step === undefined) {
        const failures = pending.failures + 1;
        const left = failures < 5 ? { ...pending, failures } : undefined;
        return {
          ...refused('code_rejected'),
          next: () => ({ ...state, pending: left }),
          beaten: 'code_rejected',
        };
      }
      // Proving a new authenticator does not clear failures of the enabled ones.
      const grown = enabled ? state : { ...state, failures: 0, lockedUntil: 0, stoppedAt: undefined };
      const confirmed = {
        ...grown,
        authenticators: { ...state.authenticators, [pending.id]: step },
        confirmedAt: { ...state.confirmedAt, [pending.id]: now },
        ticket: undefined,
      };
      return { ...change(confirmed, { newCodes: enabled ? 0 : 10 }), beaten: 'code_rejected' };
    }
    case 'verify': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (!enabled) return refused('not_enrolled');
      const access = { ...token('access', now + rules.accessToken, now, PROVED), family: caller.family };
      return attempt(op.proof, proven(op.proof), (after) =>
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
      if (!enabled) return refused('not_enrolled');
      const { authenticatorId } = op;
      if (authenticatorId !== undefined && !Object.hasOwn(state.authenticators, authenticatorId))
        return refused('authenticator_not_found');
      const others = Object.keys(state.authenticators).filter((id) => id !== authenticatorId);
      const isLast = authenticatorId === undefined || others.length === 0;
      if (state.stoppedAt !== undefined && isLast) return refused('factor_stopped');
      return attempt(op.proof, proven(op.proof), (after) => {
        const left = Object.entries(after.authenticators).filter(
          ([id]) => authenticatorId !== undefined && id !== authenticatorId,
        );
        const { stoppedAt } = after;
        // Nobody guessed at authenticators enrolled after a stop.
        const untouched =
          stoppedAt !== undefined && left.every(([id]) => (after.confirmedAt[id] ?? 0) > stoppedAt);
        const fewer = { ...(untouched ? forgiven(after) : after), authenticators: Object.fromEntries(left) };
        const removed = left.length > 0 ? fewer : emptied(after);
        return change(removed, { enabled: left.length > 0 });
      });
    }
    case 'rotate-backup-codes': {
      const caller = valid('access', op.token);
      if (!caller) return refused('token_invalid');
      if (!enabled) return refused('not_enrolled');
      const proof = { code: op.code };
      return attempt(proof, proven(proof), (after) => change(after, { newCodes: 10 }));
    }
    case 'admin-status':
      return state.known ? done(adminStatusOf(state), () => state) : refused('user_not_found');
    case 'admin-unlock': {
      if (!state.known) return refused('user_not_found');
      if (state.stoppedAt !== undefined) return refused('new_password_required');
      return administered({ ...state, failures: 0, lockedUntil: 0 });
    }
    case 'admin-reset':
      if (!state.known) return refused('user_not_found');
      return done(adminStatusOf(emptied(state)), ({ enrollmentTicket }) => ({
        ...cut(emptied(state)),
        ticket: { value: String(enrollmentTicket), expiresAt: now + rules.enrollmentTicket },
      }));
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
      backupFailures: of.backupFailures,
      lockedUntil: of.lockedUntil > now ? of.lockedUntil : null,
      stopped: of.stoppedAt !== undefined,
    };
  }

  // One attempt. A code is checked only while no lock or stop applies, and a wrong one adds a failure.

  function attempt(proof: Proof, after: State | undefined, granted: (after: State) => Expected): Expected {
    if (!('code' in proof)) {
      if (after) return { ...granted(after), beaten: 'code_rejected' };
      const { backupFailures } = state;
      if (backupFailures >= 100) return refused('code_rejected');
      const next = () => ({ ...state, backupFailures: backupFailures + 1 });
      return { ...refused('code_rejected'), next, beaten: 'code_rejected' };
    }
    const closed = shut(state, now);
    if (closed) return closed;
    const answer = after ? granted(after) : { ...refused('code_rejected'), next: failed };
    return { ...answer, beaten: 'code_rejected or shut' };
  }
  function failed(): State {
    const failures = state.failures + 1;
    const lock = Math.min(rules.lockSeconds * 2 ** (failures - rules.lockAfter), rules.lockSecondsMost);
    const failedAt = [...state.failedAt, now];
    const lately = failedAt.filter((at) => at > now - 30 * 86_400);
    const stops = failures >= rules.stopAfter || lately.length >= rules.stopWithin30Days;
    return {
      ...state,
      failures,
      lockedUntil: failures >= rules.lockAfter ? now + lock : state.lockedUntil,
      stoppedAt: stops ? now : state.stoppedAt,
      failedAt,
    };
  }
  /** Returns the state once this proof is spent, or undefined if it is wrong or already spent. */
  function proven(proof: Proof): State | undefined {
    if ('enrollmentTicket' in proof) {
      const { value = '', expiresAt = 0 } = state.ticket ?? {};
      return proof.enrollmentTicket === value && now < expiresAt
        ? { ...state, backupFailures: 0 }
        : undefined;
    }
    if ('backupCode' in proof) {
      const backupCodes = state.backupCodes.filter((good) => good !== proof.backupCode);
      return backupCodes.length < state.backupCodes.length
        ? { ...state, backupFailures: 0, backupCodes }
        : undefined;
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
    return right ? { ...state, failures: 0, lockedUntil: 0, authenticators } : undefined;
  }

  // Tokens and sessions

  function valid(kind: Token['kind'], given: string, among = state.alive): Token | undefined {
    const known = among[given];
    return known?.kind === kind && known.client === op.client && known.expiresAt > now ? known : undefined;
  }
  /**
   * Returns the refusal unless the session is recent and not logged out, as the first authenticator requires.
   */
  function unfitForFirst({ provedAt, family }: Token): Expected | undefined {
    if (now - provedAt > rules.recentSignIn) return refused('recent_sign_in_required');
    return state.families[family] === 'ended' ? refused('token_invalid') : undefined;
  }
  function token(kind: Token['kind'], expiresAt: number, provedAt: number, amr: string[]): Token {
    const enrollsOnly = !enabled && state.ticket !== undefined;
    return { kind, client: op.client, expiresAt, provedAt, amr, enrollsOnly, family: '', sequence: 0 };
  }
  function saidOf({ amr, provedAt }: Token) {
    const acr = `urn:countersign:${amr.includes('mfa') ? 2 : 1}fa`;
    return { amr, acr, auth_time: provedAt };
  }
  function issued(to: State, value: unknown, what: Token): State {
    return { ...to, alive: { ...to.alive, [String(value)]: what } };
  }
  /** Returns a new session, or the next pair of tokens of an existing one. */
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
  /**
   * Returns the family after a second use of the previous token, if it is the first such use and within the
   * grace.
   */
  function usedAgain(at: Family | undefined, sequence: number): Family | undefined {
    if (at?.next !== sequence + 1 || at.again || rules.refreshGrace === 0) return undefined;
    return Math.abs(now - at.since) <= rules.refreshGrace ? { ...at, again: true } : undefined;
  }
  function familyAt(family: string, next: Family | 'ended'): State {
    const at = state.families[family] === 'ended' ? 'ended' : next;
    return { ...state, families: { ...state.families, [family]: at } };
  }
  /** Ends every session, every challenge and a pending enrollment. */
  function cut(of: State): State {
    return { ...of, pending: undefined, alive: {}, void: { ...of.void, ...of.alive } };
  }
  /**
   * Applies a change of the factor. The session that proved it continues as a new one, and all others end.
   */
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

/** Returns the refusal of any code while a lock or a stop applies, or undefined if neither does. */
export function shut(state: State, now: number): Expected | undefined {
  const refusal = { says: {}, next: () => state };
  if (state.stoppedAt !== undefined) return { ...refusal, outcome: 'factor_stopped' };
  if (state.lockedUntil <= now) return undefined;
  return { ...refusal, outcome: 'too_many_attempts', says: { retryAfter: state.lockedUntil - now } };
}

function emptied(state: State): State {
  return { ...forgiven(state), authenticators: {}, backupCodes: [] };
}

/** Clears all failures, the lock and the stop. */
function forgiven(state: State): State {
  return { ...state, failures: 0, backupFailures: 0, lockedUntil: 0, stoppedAt: undefined, failedAt: [] };
}

/** The `amr` of a proved session. In the model, every session began with the password. */
const PROVED = ['pwd', 'otp', 'mfa'];
