import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { BodyPlan, Input, PathChange, TokenPlan } from './inputs.ts';

export interface Sent {
  method: string;
  /** The path with its query. */
  path: string;
  headers: [name: string, value: string][];
  body: Buffer | undefined;
}

export interface Received {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** Sends requests over at most so many persistent connections. */
export function createTransport(url: string, connections: number) {
  const { port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send({ method, path, headers, body }: Sent, chunked = false): Promise<Received> {
      const { promise, resolve, reject } = Promise.withResolvers<Received>();
      const length: [string, string] = chunked
        ? ['transfer-encoding', 'chunked']
        : ['content-length', String(body?.length ?? 0)];
      const all = [['host', `localhost:${port}`], ...headers, length];
      const outgoing = request(
        { host: '127.0.0.1', port, agent, method, path, headers: all.flat() },
        async (incoming) => {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk);
          const text = Buffer.concat(chunks).toString();
          const received = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
          resolve({ status: incoming.statusCode ?? 0, headers: Object.fromEntries(received), text });
        },
      );
      outgoing.on('error', reject).end(body);
      return promise;
    },
    close: () => agent.destroy(),
  };
}

export type Transport = ReturnType<typeof createTransport>;

export function pathOf(path: string, change: Input['path']): string {
  const changes: Record<PathChange, (text: string) => string> = {
    append: (text) => path + text,
    prefix: (text) => text + path,
    upper: () => path.toUpperCase(),
    encode: () => path.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    slash: () => path.replaceAll('/', '//'),
    replace: (text) => text,
    segment: (text) => path.replace(/[^/]+$/, `${text.replaceAll('/', '')}x`),
  };
  const changed = change ? changes[change.how](change.with) : path;
  return changed.startsWith('/') ? changed : `/${changed}`;
}

/** Returns the bytes of a body. @param fill replaces names such as `$token` with this sender's values */
export function bytesOf(plan: BodyPlan, fill: (text: string) => string): Buffer | undefined {
  switch (plan.kind) {
    case 'none':
      return undefined;
    case 'value':
      return Buffer.from(fill(JSON.stringify(plan.value) ?? ''));
    case 'text':
      return Buffer.from(plan.text);
    case 'bytes':
      return Buffer.from(plan.bytes);
    case 'members':
      return Buffer.from(fill(jsonOf(plan.members)));
    case 'spoilt':
      return spoil(fill(jsonOf(plan.members)), plan);
  }
}

/** Returns the JSON of the members, and keeps members with a repeated name. */
function jsonOf(members: [string, unknown][]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`;
}

function spoil(text: string, plan: Extract<BodyPlan, { kind: 'spoilt' }>): Buffer {
  const at = plan.at % (text.length + 1);
  switch (plan.how) {
    case 'cut':
      return Buffer.from(text.slice(0, at));
    case 'insert':
      return Buffer.from(text.slice(0, at) + plan.with + text.slice(at));
    case 'byte': {
      const bytes = Buffer.from(text);
      bytes[plan.at % bytes.length] = 0xff;
      return bytes;
    }
    case 'bom':
      return Buffer.from(`\ufeff${text}`);
    case 'utf16':
      return Buffer.from(text, 'utf16le');
    case 'gzip':
      return gzipSync(text);
    case 'padded': {
      const bytes = Buffer.from(text);
      const size = 16 * 1024 + (plan.at % 3) - 1;
      return Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length), ' ')]);
    }
    case 'nested':
      return Buffer.from(`[${text}]`);
    case 'deep': {
      const depth = plan.at % 2500;
      return Buffer.from('{"a":'.repeat(depth) + text + '}'.repeat(depth));
    }
    case 'twice':
      return Buffer.from(text + text);
    case 'single quotes':
      return Buffer.from(text.replaceAll('"', "'"));
  }
}

/** Returns the token with one of its segments altered. */
export function altered(token: string, alter: TokenPlan['alter']): string {
  const segments = token.split('.');
  const old = alter && segments[alter.segment];
  if (!old) return token;
  const at = alter.at % old.length;
  const json = (index: number, more: object) => {
    const said = JSON.parse(Buffer.from(segments[index] ?? '', 'base64url').toString());
    return Buffer.from(JSON.stringify({ ...said, ...more })).toString('base64url');
  };
  switch (alter.how) {
    case 'flip':
      segments[alter.segment] = `${old.slice(0, at)}${old[at] === 'A' ? 'B' : 'A'}${old.slice(at + 1)}`;
      break;
    case 'cut':
      segments[alter.segment] = old.slice(0, at);
      break;
    case 'empty':
      segments[alter.segment] = '';
      break;
    case 'longer':
      segments[alter.segment] = `${old}AAAA`;
      break;
    case 'none':
      segments[0] = json(0, { alg: 'none' });
      segments[2] = '';
      break;
    case 'claims':
      segments[1] = json(1, { exp: 9_999_999_999, amr: ['pwd', 'otp', 'mfa'] });
  }
  return segments.join('.');
}

/**
 * Whether two tokens decode to the same bytes. The last character of a segment has bits without a meaning.
 */
export function sameToken(one: string, other: string): boolean {
  const bytes = (token: string) =>
    token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return bytes(one).join('.') === bytes(other).join('.');
}
