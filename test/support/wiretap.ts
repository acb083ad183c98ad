import { createPrivateKey } from 'node:crypto';
import type { Exchange } from '@countersign/local-aws/context';
import { base32nopad } from '@scure/base';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
import type { Service } from '../../local/service.ts';
import { createSecrets } from './secrets.ts';
import { contentsOf, type Item, wholeTable } from './table.ts';

/** Records a service's traffic and logs, and knows every secret made by it, its users and AWS. */
export interface Wiretap {
  onExchange(exchange: Exchange): void;
  onLog(operation: string, line: string): void;
  /** Learns the keys that the service has from its start. */
  knowOf(service: Pick<Service, 'local' | 'principals'>): void;
  /**
   * Searches all recorded text and the current table for every known secret. It then forgets the text and the
   * findings, but keeps the secrets.
   *
   * @returns each secret found and its place. Empty if there is no leak.
   */
  leaks(service: Service): Promise<string[]>;
  /** The places recorded so far, for example `the log of login`. */
  readonly places: ReadonlySet<string>;
  /** Number of secrets known so far. */
  readonly size: number;
}

const SESSION = ['accessToken', 'refreshToken'];
/**
 * The response fields in which the contract hands out secrets, each once. A secret may appear nowhere else.
 */
const HANDED_OUT: Partial<Record<Operation, string[]>> = {
  login: [...SESSION, 'challengeToken'],
  'verify-login': SESSION,
  refresh: SESSION,
  enroll: ['secret', 'otpauthUri', 'qrSvg'],
  confirm: [...SESSION, 'backupCodes'],
  verify: ['accessToken'],
  disable: SESSION,
  'rotate-backup-codes': [...SESSION, 'backupCodes'],
  'admin-reset': ['enrollmentTicket'],
};
const operations = Object.entries<Route>(routes).map(([operation, { method, path }]) => ({
  operation: operation as Operation,
  request: new RegExp(`^${method} ${path.replace(/\{\w+\}/g, '[^/]+')}$`),
}));
const handedOutBy = (request: string) => {
  const found = operations.find((known) => known.request.test(request));
  return (found && HANDED_OUT[found.operation]) ?? [];
};

/** The challenge parameters that Cognito itself sends to a client. Our triggers set the others. */
const COGNITO_OWN = ['SALT', 'SECRET_BLOCK', 'SRP_B'];
/** Most characters kept before a search. A long run would otherwise fill the memory. */
const MOST_KEPT = 64 * 1024 * 1024;

type Json = Record<string, unknown>;

export function createWiretap(): Wiretap {
  const secrets = createSecrets();
  let heard: { where: string; text: string }[] = [];
  let kept = 0;
  const found = new Set<string>();
  const places = new Set<string>();

  const hear = (where: string, text: string) => {
    heard.push({ where, text });
    places.add(where);
    kept += text.length;
    if (kept > MOST_KEPT) search();
  };
  function search(): void {
    for (const { where, text } of heard) {
      for (const what of secrets.foundIn(text)) found.add(`${what} in ${where}: ${text.slice(0, 60)}…`);
    }
    heard = [];
    kept = 0;
  }

  const learnText = (what: string, value: unknown) => {
    if (typeof value === 'string' && value.length >= 6) secrets.add(what, secretPartOf(value));
  };
  /**
   * Learns a code, but no backup code: a user may type any sixteen letters. Backup codes are learnt where
   * they are made.
   */
  const learnCode = (value: unknown) => {
    if (typeof value !== 'string' || /[A-Za-z]/.test(value)) return;
    // A user may type spaces, dashes or full-width digits. Both the typed text and its digits could leak.
    const digits = value.normalize('NFKC').replace(/\D/g, '');
    if (!/^\d{6,8}$/.test(digits)) return;
    secrets.add('a code', digits);
    if (value !== digits) secrets.add('a code', value);
  };

  function atTheGateway({ operation, request, status, answer }: Exchange): void {
    const asked = parsed(request.body);
    learnCode(asked['code']);
    for (const field of ['challengeToken', 'refreshToken']) learnToken(asked[field]);
    learnToken(request.headers['authorization']?.replace(/^Bearer +/i, ''));

    const told = parsed(answer.body);
    const secretFields = status < 300 ? handedOutBy(operation) : [];
    const handedOut = secretFields.flatMap((field) =>
      textsIn(told[field]).map((value) => ({ field, value })),
    );
    // A secret handed out a second time is a leak. The QR code is exempt: its colours, such as #000000, look
    // like codes.
    for (const { field, value } of handedOut) {
      if (field === 'qrSvg') continue;
      for (const what of secrets.foundIn(readable(value)))
        found.add(`${what} a second time in ${field} of ${operation}`);
    }
    for (const { field, value } of handedOut) learnHandedOut(field, value);
    const others = secretFields.length === 0 ? answer.body : JSON.stringify(without(told, secretFields));
    hear(`the response to ${operation}`, `${status} ${JSON.stringify(answer.headers)} ${others}`);
  }

  function learnHandedOut(field: string, value: string): void {
    if (field === 'secret') secrets.add('a secret', base32nopad.decode(value));
    if (field.endsWith('Token')) learnToken(value);
    if (field !== 'backupCodes' && field !== 'enrollmentTicket') return;
    const what = field === 'backupCodes' ? 'a backup code' : 'an enrollment ticket';
    for (const form of [value, value.replaceAll('-', '')]) {
      secrets.add(what, form);
      secrets.add(what, form.toUpperCase());
    }
  }

  function learnToken(value: unknown): void {
    if (typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]{40,}$/.test(value)) learnText('a token', value);
  }

  function atCognito({ operation, request, answer }: Exchange): void {
    const asked = parsed(request.body);
    const [parameters, responses] = [object(asked['AuthParameters']), object(asked['ChallengeResponses'])];
    const passwords = ['Password', 'TemporaryPassword', 'PreviousPassword', 'ProposedPassword'];
    for (const field of passwords) learnText('a password', asked[field]);
    learnText('a password', parameters['PASSWORD']);
    learnText('a password', responses['NEW_PASSWORD']);
    learnText('a session of Cognito', asked['Session']);
    learnToken(parameters['REFRESH_TOKEN']);
    learnCode(responses['ANSWER']);
    learnCode(asked['ConfirmationCode']);

    const told = parsed(answer.body);
    learnText('a session of Cognito', told['Session']);
    for (const [name, value] of Object.entries(object(told['AuthenticationResult']))) {
      if (/Token$/.test(name)) learnText('a token of Cognito', value);
    }
    const shown = without(object(told['ChallengeParameters']), COGNITO_OWN);
    hear(`Cognito's response to ${operation}`, JSON.stringify([shown, told['message']]));
  }

  function atKms({ operation, request, answer }: Exchange): void {
    const { Plaintext: plain } = parsed(answer.body);
    const { purpose } = object(parsed(request.body)['EncryptionContext']);
    // KMS wraps a public half to vouch for it, not to hide it.
    const secret = purpose !== 'signing-public';
    if (secret && typeof plain === 'string') secrets.add('a key', secretOfKey(Buffer.from(plain, 'base64')));
    hear(`the request to kms: ${operation}`, request.body);
  }

  return {
    onExchange(exchange) {
      const { service, operation, request } = exchange;
      if (service === 'execute-api') atTheGateway(exchange);
      else if (service === 'cognito-idp') atCognito(exchange);
      else if (service === 'kms') atKms(exchange);
      else hear(`the request to ${service}: ${operation}`, request.body);
    },
    onLog: (operation, line) => hear(`the log of ${operation}`, line),
    knowOf({ local, principals }) {
      for (const key of [local.apiKey, local.limitedApiKey]) secrets.add('an API key', key);
      for (const { arn, secretAccessKey, sessionToken } of principals.all()) {
        secrets.add(`the key of ${arn}`, secretAccessKey);
        if (sessionToken) secrets.add(`the session token of ${arn}`, sessionToken);
      }
    },
    async leaks(service) {
      for (const item of await wholeTable(service)) hear(`the item ${item['pk']?.S}`, plainText(item));
      search();
      const all = [...found];
      found.clear();
      return all;
    },
    places,
    get size() {
      return secrets.size;
    },
  };
}

function parsed(body: string): Json {
  try {
    return object(JSON.parse(body));
  } catch {
    return {};
  }
}

/** Returns the text, or the texts of a list. */
function textsIn(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === 'string');
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function without(value: Json, names: string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/**
 * Returns a token with its header and claims decoded. In base64, a code matches any six equal digits of a
 * time.
 */
function readable(value: string): string {
  const [, header, payload, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]{40,})$/.exec(value) ?? [];
  if (!header || !payload) return value;
  const said = [header, payload].map((part) => Buffer.from(part, 'base64url').toString());
  return [...said, signature].join(' ');
}

/** Returns a token's signature. Anyone who has it can use the token; without it the rest is useless. */
function secretPartOf(value: string): string {
  return /^[\w-]+\.[\w-]+\.([\w-]{40,})$/.exec(value)?.[1] ?? value;
}

/** Returns a part of a key pair's private exponent, because half of the rest of PKCS #8 is public. */
function secretOfKey(plain: Buffer): Buffer {
  if (plain.length <= 64) return plain;
  const { d = '' } = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return Buffer.from(d, 'base64url').subarray(0, 48);
}

/** Returns an item as text, with its bytes in base64 too, so that a search finds every form of a secret. */
function plainText(item: Item): string {
  return contentsOf(item)
    .map((content) =>
      typeof content === 'string'
        ? content
        : `${Buffer.from(content).toString('base64')} ${Buffer.from(content).toString('latin1')}`,
    )
    .join(' ');
}
