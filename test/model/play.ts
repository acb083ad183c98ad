import { type AuthenticatorApp, scan } from '../support/authenticator-app.ts';
import { type Call, canonical, explain } from './explain.ts';
import { type Answer, nobody, type Op, type Proof, type Rules, type State, type StepsOf } from './model.ts';
import { callOf, type Move, type ProofMove, type Sequence, type Step } from './moves.ts';

/** Runs operations on the service, in this process or over HTTP. */
export interface Driver {
  rules: Rules;
  /** Returns the service's time, in seconds since the epoch. */
  now(): number;
  advance(seconds: number): void;
  /** Returns the name of a new user, who has no record. */
  newUser(): Promise<string>;
  /**
   * Runs these operations concurrently.
   *
   * @param turns picks the operation that continues if several could, for a driver that decides this
   * @returns the answers in the order of `ops`, and the time range in which they were made, in seconds since
   * the epoch
   */
  run(ops: Op[], turns: number[]): Promise<{ answers: Answer[]; from: number; to: number }>;
}

/** Everything that the service sent for one user, newest first. */
interface Seen {
  user: string;
  access: string[];
  refresh: string[];
  challenge: string[];
  authenticators: string[];
  /** Backup codes of all sets, including replaced and used ones. */
  backupCodes: string[];
  tickets: string[];
}

/** `operation outcome` → how often it occurred. */
export type Met = Map<string, number>;

const CLIENTS = ['app', 'other'];

/**
 * Plays a sequence against the service and compares every answer with the model.
 *
 * @param met counts the answers
 * @throws Error if no order of concurrent calls explains the answers. Its message lists everything done
 * before.
 */
export async function play({ enrolled, steps }: Sequence, driver: Driver, met?: Met): Promise<void> {
  const { rules } = driver;
  const people: Seen[] = [];
  const states = new Map<string, State[]>();
  const apps = new Map<string, AuthenticatorApp>();
  const proofs: Proof[] = [];
  const story: string[] = [];
  for (let count = 0; count < 3; count++) {
    const user = await driver.newUser();
    people.push({
      user,
      access: [],
      refresh: [],
      challenge: [],
      authenticators: [],
      backupCodes: [],
      tickets: [],
    });
    states.set(user, [nobody]);
  }

  const stepsOf: StepsOf = (id, code, now) => {
    const current = Math.floor(now / 30);
    return [current - 1, current, current + 1].filter((step) => apps.get(id)?.codeAt(step * 30) === code);
  };

  for (const step of [...prelude(Math.min(enrolled, 2)), ...steps]) {
    if (step.kind === 'time') pass(step);
    else
      await make(
        step.moves.flatMap((move) => opOf(move) ?? []),
        step.turns,
      );
  }

  async function make(ops: Op[], turns: number[]): Promise<void> {
    if (ops.length === 0) return;
    for (const op of ops) if ('proof' in op && op.proof) proofs.unshift(op.proof);
    await check(ops, turns);
    // The stored state is part of what the model has to explain.
    for (const user of new Set(ops.map(({ user }) => user)))
      await check([{ name: 'admin-status', user, client: 'app' }], []);
  }

  async function check(ops: Op[], turns: number[]): Promise<void> {
    const { answers, from, to } = await driver.run(ops, turns);
    const nows = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const calls = ops.map((op, index): Call => ({ op, answer: answers[index] ?? { outcome: '', body: {} } }));
    for (const { op, answer } of calls) {
      see(op.user, answer);
      const what = `${op.name} ${answer.outcome}`;
      met?.set(what, (met.get(what) ?? 0) + 1);
    }
    story.push(told(calls, from));
    for (const user of new Set(ops.map(({ user }) => user))) {
      const before = states.get(user) ?? [];
      const after = explain(
        before,
        calls.filter(({ op }) => op.user === user),
        nows,
        rules,
        stepsOf,
      );
      if (after.length === 0) throw new Error(contradiction(story, before));
      states.set(user, after);
    }
  }

  function see(user: string, { body }: Answer): void {
    const person = people.find((known) => known.user === user);
    if (!person) return;
    for (const [member, kind] of [
      ['accessToken', 'access'],
      ['refreshToken', 'refresh'],
      ['challengeToken', 'challenge'],
    ] as const) {
      if (typeof body[member] === 'string') person[kind].unshift(body[member]);
    }
    if (typeof body['otpauthUri'] === 'string') {
      person.authenticators.unshift(String(body['authenticatorId']));
      apps.set(String(body['authenticatorId']), scan(body['otpauthUri']));
    }
    if (typeof body['enrollmentTicket'] === 'string') person.tickets.unshift(body['enrollmentTicket']);
    if (Array.isArray(body['backupCodes'])) person.backupCodes.unshift(...body['backupCodes']);
  }

  function pass({ to, seconds, who }: Extract<Step, { kind: 'time' }>): void {
    const now = driver.now();
    const lockedUntil = states.get(people[who % 3]?.user ?? '')?.[0]?.lockedUntil ?? 0;
    const left = { seconds, step: 30 - (now % 30), lock: lockedUntil - now }[to];
    // Stops on the edge or one second before it.
    const amount = to === 'seconds' ? left : Math.max(0, left - (seconds % 2));
    driver.advance(amount);
    story.push(`${amount} s pass`);
  }

  // Turns a move into an operation. Undefined if the user does not have what the move needs yet.

  function opOf(move: Move): Op | undefined {
    const { name, password, authenticator } = move;
    const own = people[move.who % people.length];
    if (!own) return undefined;
    const client = CLIENTS[move.otherClient ? 1 : 0] ?? '';
    const as = <T>(rest: T, user = own.user) => ({ user, client, ...rest });
    if (name === 'login') return as({ name, password });
    if (name.startsWith('admin-')) return as({ name: name as 'admin-status' });

    const kind =
      name === 'verify-login' ? 'challenge' : /^(refresh|logout)$/.test(name) ? 'refresh' : 'access';
    const picked =
      move.stray === undefined
        ? { token: tokenOf(own, kind, move.token), user: own.user }
        : stray(move.stray);
    const { token, user } = picked;
    // Without a token, the user signs in first.
    if (token === undefined) return as({ name: 'login', password });
    const id = authenticator === undefined ? undefined : own.authenticators[authenticator];
    // The other bodies have no field for a ticket. Confirming without a pending enrollment becomes enrolling.
    const takesTicket = name === 'verify-login' || name === 'enroll' || name === 'confirm';
    const ticket = takesTicket ? ticketOf(own, move.proof) : undefined;
    const proof = ticket ?? proofOf(move.proof, own, name === 'confirm');
    const code = proof && 'code' in proof ? proof.code : undefined;
    switch (name) {
      case 'refresh':
      case 'logout':
      case 'status':
        return as({ name, token }, user);
      case 'enroll':
        return as({ name, token, ...evidenceOf(move, proof, enabled(user), ticketed(user)) }, user);
      case 'verify-login':
      case 'verify':
        return proof && as({ name, token, proof }, user);
      case 'disable':
        return proof && as({ name, token, proof, authenticatorId: id }, user);
      case 'rotate-backup-codes':
        return code === undefined ? undefined : as({ name, token, code }, user);
      case 'confirm': {
        const authenticatorId = id ?? own.authenticators[0];
        if (authenticatorId === undefined || code === undefined)
          return enabled(user)
            ? undefined
            : as({ name: 'enroll', token, ...evidenceOf(move, proof, false, ticketed(user)) }, user);
        return as({ name, token, authenticatorId, code }, user);
      }
      default:
        return undefined;
    }
  }

  function tokenOf(own: Seen, kind: 'access' | 'refresh' | 'challenge', index: number | undefined) {
    if (index !== undefined) return own[kind][index];
    const state = states.get(own.user)?.[0];
    return own[kind].find(
      (token) => (state?.alive[token]?.expiresAt ?? 0) > driver.now() && !state?.answered.includes(token),
    );
  }

  function enabled(user: string): boolean {
    return Object.keys(states.get(user)?.[0]?.authenticators ?? {}).length > 0;
  }

  function ticketed(user: string): boolean {
    return states.get(user)?.[0]?.ticket !== undefined;
  }

  /** Returns a ticket in place of a code after a reset: the current one, an older one or an invented one. */
  function ticketOf(own: Seen, move: ProofMove): Proof | undefined {
    if (!ticketed(own.user) || move.kind === 'code' || move.kind === 'replay') return undefined;
    if (move.kind === 'wrong') return { enrollmentTicket: 'aaaa-bbbb-cccc-dddd' };
    const enrollmentTicket = own.tickets[move.kind === 'backup' ? move.index : 0];
    return enrollmentTicket === undefined ? undefined : { enrollmentTicket };
  }

  function stray(index: number): { token: string | undefined; user: string } {
    const all = people.flatMap(({ user, access, refresh, challenge }) =>
      [...access, ...refresh, ...challenge].map((token) => ({ user, token })),
    );
    return all[index % Math.max(1, all.length)] ?? { token: undefined, user: '' };
  }

  function proofOf(move: ProofMove, own: Seen, pending: boolean): Proof | undefined {
    const whose = 'whose' in move && move.whose === 'other' ? people.find((other) => other !== own) : own;
    const now = driver.now();
    switch (move.kind) {
      case 'fresh': {
        const last = states.get(own.user)?.[0]?.authenticators ?? {};
        const known = own.authenticators.filter((id) => pending || Object.hasOwn(last, id));
        const id = known[move.authenticator % Math.max(1, known.length)] ?? '';
        const current = Math.floor(now / 30);
        const app = apps.get(id);
        const step = [current - 1, current, current + 1].find((step) => step > (last[id] ?? 0)) ?? current;
        return app && { code: app.codeAt(step * 30) };
      }
      case 'code': {
        const known = whose?.authenticators ?? [];
        const app = apps.get(known[move.authenticator % Math.max(1, known.length)] ?? '');
        return app && { code: app.codeAt(now + 30 * move.steps) };
      }
      case 'backup': {
        const backupCode = whose?.backupCodes[move.index];
        return backupCode === undefined ? undefined : { backupCode };
      }
      case 'replay':
        return proofs[move.index];
      case 'wrong':
        return { code: wrongCode(apps, now) };
      case 'none':
        return undefined;
    }
  }
}

/**
 * Returns a code if there is a second factor. Otherwise it returns the password, with the ticket after a
 * reset. Now and then it returns something that the service refuses.
 */
function evidenceOf(
  { proof: { kind }, password }: Move,
  proof: Proof | undefined,
  enabled: boolean,
  ticketed: boolean,
) {
  if (enabled) return { proof, password: password === 'wrong' ? password : undefined };
  return {
    proof: ticketed || kind === 'replay' ? proof : undefined,
    password: kind === 'none' ? undefined : password,
  };
}

/** Returns the steps with which so many users sign in, enroll and confirm. */
function prelude(enrolled: number): Step[] {
  const proof = { kind: 'code', whose: 'own', authenticator: 0, steps: 0 } as const;
  return Array.from({ length: enrolled }).flatMap((_, who) =>
    (['login', 'enroll', 'confirm'] as const).map((name) => callOf(name, { who, proof })),
  );
}

/** Returns a code that no authenticator shows near this time. */
function wrongCode(apps: Map<string, AuthenticatorApp>, now: number): string {
  for (let candidate = 0; ; candidate++) {
    const code = String(candidate).padStart(6, '0');
    const shown = [...apps.values()].some((app) =>
      [-2, -1, 0, 1, 2].some((steps) => app.codeAt(now + 30 * steps) === code),
    );
    if (!shown) return code;
  }
}

function told(calls: Call[], now: number): string {
  const lines = calls.map(({ op, answer }) => {
    const short = (text: string) => (text.length > 24 ? `…${text.slice(-6)}` : text);
    const said = JSON.stringify({ ...op, ...('token' in op && { token: short(op.token) }) });
    const given = Object.entries(answer.body)
      .filter(([name]) => !/^(qrSvg|otpauthUri|secret|backupCodes)$/.test(name))
      .map(([name, value]) => `${name}: ${typeof value === 'string' ? short(value) : JSON.stringify(value)}`);
    return `${said} → ${answer.outcome} {${given.join(', ')}}`;
  });
  return `at ${now}: ${lines.join('\n      concurrently: ')}`;
}

function contradiction(story: string[], before: State[]): string {
  const states = before.map((state) => canonical(state).replaceAll(/eyJ[\w.-]+(?=[\w-]{6})/g, '…'));
  return ['No order that the model allows explains the last answers.', ...story, 'before:', ...states].join(
    '\n  ',
  );
}
