import { base32, base32nopad } from '@scure/base';
import type { Service } from '../../local/service.ts';
import { type Answer, type Client, clientOf } from './client.ts';

/** What must not be seen: by what it is, its bytes. */
export interface Secrets {
  add(what: string, secret: string | Uint8Array): void;
  /** What is found of them in a text, whatever encoding it is in; empty where nothing is. */
  foundInText(text: string): string[];
  /** The same in bytes, where they may also stand as they are. */
  foundInBytes(bytes: Uint8Array): string[];
  readonly size: number;
}

export function createSecrets(): Secrets {
  const known = new Map<string, { what: string; bytes: Buffer; pattern: RegExp }>();
  const foundInText = (text: string) =>
    [...known.values()].filter(({ pattern }) => pattern.test(text)).map(({ what }) => what);
  return {
    add(what, secret) {
      const bytes = Buffer.from(secret);
      known.set(bytes.toString('hex'), {
        what,
        bytes,
        pattern: patternOf(bytes, typeof secret === 'string'),
      });
    },
    foundInText,
    foundInBytes: (found) => [
      ...[...known.values()]
        .filter(({ bytes }) => Buffer.from(found).includes(bytes))
        .map(({ what }) => what),
      ...foundInText(Buffer.from(found).toString('latin1')),
    ],
    get size() {
      return known.size;
    },
  };
}

/** Plain (where it is text), hex, base32, and base64 at any place of a longer text. */
function patternOf(bytes: Buffer, isText: boolean): RegExp {
  const spoken = isText ? bytes.toString('utf8') : undefined;
  const forms = [
    bytes.toString('hex'),
    base32.encode(bytes).replace(/=+$/, ''),
    base32nopad.encode(bytes).toLowerCase(),
    ...[0, 1, 2].flatMap((shift) => {
      const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
      const whole = [Math.ceil((shift * 8) / 6), Math.floor((shifted.length * 8) / 6)] as const;
      return (['base64', 'base64url'] as const).map((encoding) => shifted.toString(encoding).slice(...whole));
    }),
  ];
  // Six digits stand by chance in a longer number.
  const plain = spoken && (/^\d+$/.test(spoken) ? `(?<![0-9a-z])${spoken}(?![0-9a-z])` : escaped(spoken));
  return new RegExp([...forms.map(escaped), ...(plain ? [plain] : [])].join('|'), 'i');
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const SECRET_FIELDS = new Set([
  'password',
  'code',
  'backupCode',
  'challengeToken',
  'refreshToken',
  'accessToken',
  'secret',
]);

/**
 * A client that remembers every secret that went over it in either direction, and every refusal.
 *
 * @param refused every answer of 400 and more, as text
 */
export function listeningClient(service: Service, secrets: Secrets, refused: string[]): Client {
  secrets.add('an API key', service.local.apiKey);
  const plain = clientOf(service);
  // A problem has a `code` too: which one it is.
  const learn = (body: unknown) => {
    if (typeof body !== 'object' || body === null || 'type' in body) return;
    for (const [name, value] of Object.entries(body)) {
      if (name === 'secret' && typeof value === 'string')
        secrets.add('the secret', base32nopad.decode(value));
      if (SECRET_FIELDS.has(name) && typeof value === 'string') secrets.add(name, signatureOr(value));
      if (name === 'backupCode' && typeof value === 'string') secrets.add(name, value.replaceAll('-', ''));
      if (name === 'backupCodes' && Array.isArray(value)) {
        for (const code of value) {
          secrets.add(name, String(code));
          secrets.add(name, String(code).replaceAll('-', ''));
        }
      }
    }
  };
  const call: Client['call'] = async (method, path, options = {}) => {
    learn(options.body);
    if (options.bearer) secrets.add('a bearer token', signatureOr(options.bearer));
    const answer: Answer = await plain.call(method, path, options);
    learn(answer.body);
    if (answer.status >= 400) {
      refused.push(JSON.stringify([answer.status, Object.fromEntries(answer.headers), answer.body]));
    }
    return answer;
  };
  return {
    call,
    post: (path, body, bearer) => call('POST', path, { body, ...(bearer !== undefined && { bearer }) }),
    get: (path, bearer) => call('GET', path, bearer === undefined ? {} : { bearer }),
  };
}

/** Of a token the signature: with that part anybody has all of it, without it nobody has anything. */
function signatureOr(value: string): string {
  return /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(value)?.[1] ?? value;
}
