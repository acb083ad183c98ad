import { base32nopad } from '@scure/base';

/** Secrets that must not appear in a text, each with a description. */
export interface Secrets {
  add(what: string, secret: string | Uint8Array): void;
  /** Returns the descriptions of the secrets in a text, in any encoding. Empty if there are none. */
  foundIn(text: string): string[];
  readonly size: number;
}

/** Number of leading characters by which the search looks up a form of a secret. */
const WINDOW = 8;
/** Bits of the filter that rules out nearly every position of a text. */
const FILTER_BITS = 22;
/** A short number that stands alone. Longer numbers contain a code's digits by chance. */
const NUMBER = /(?<![0-9a-z])\d{6,8}(?![0-9a-z])/gi;

/**
 * Searches much text for many secrets, in plain, hex, base32, and base64 at any offset of a longer text. A
 * window slides over the text. A form is compared only if the window contains its beginning.
 */
export function createSecrets(): Secrets {
  const known = new Set<string>();
  const numbers = new Map<string, string>();
  const exact = createIndex();
  const anyCase = createIndex();
  return {
    add(what, secret) {
      const bytes = Buffer.from(secret);
      const id = bytes.toString('hex');
      if (bytes.length === 0 || known.has(id)) return;
      known.add(id);
      if (typeof secret === 'string' && /^\d{6,8}$/.test(secret)) numbers.set(secret, what);
      else if (typeof secret === 'string') exact.add(secret, what);
      for (const form of base64FormsOf(bytes)) exact.add(form, what);
      anyCase.add(id, what);
      anyCase.add(base32nopad.encode(bytes).toLowerCase(), what);
    },
    foundIn(text) {
      const found = new Set([...exact.foundIn(text), ...anyCase.foundIn(text.toLowerCase())]);
      for (const [number] of text.matchAll(NUMBER)) {
        const what = numbers.get(number);
        if (what !== undefined) found.add(what);
      }
      return [...found];
    },
    get size() {
      return known.size;
    },
  };
}

/** Returns the base64 of bytes at each of the three offsets within a longer text, in both alphabets. */
function base64FormsOf(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const whole = [Math.ceil((shift * 8) / 6), Math.floor((shifted.length * 8) / 6)] as const;
    return (['base64', 'base64url'] as const).map((encoding) => shifted.toString(encoding).slice(...whole));
  });
}

function createIndex() {
  const filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  const forms = new Map<string, Map<string, string>>();
  const bit = (hash: number) => hash >>> (32 - FILTER_BITS);
  return {
    /** Adds a form, unless it is shorter than the window. A text contains such short forms by chance. */
    add(form: string, what: string): void {
      if (form.length < WINDOW) return;
      const start = form.slice(0, WINDOW);
      const at = bit(hashOf(start));
      filter[at >>> 3] = (filter[at >>> 3] ?? 0) | (1 << (at & 7));
      const same = forms.get(start) ?? new Map<string, string>();
      forms.set(start, same.set(form, what));
    },
    foundIn(text: string): string[] {
      const found: string[] = [];
      let hash = hashOf(text.slice(0, WINDOW - 1));
      for (let end = WINDOW - 1; end < text.length; end++) {
        const start = end - WINDOW + 1;
        hash = rolled(hash, text.charCodeAt(end), start > 0 ? text.charCodeAt(start - 1) : 0);
        const at = bit(hash);
        if (((filter[at >>> 3] ?? 0) & (1 << (at & 7))) === 0) continue;
        for (const [form, what] of forms.get(text.slice(start, end + 1)) ?? []) {
          if (text.startsWith(form, start)) found.push(what);
        }
      }
      return found;
    },
  };
}

const BASE = 0x9e3779b1;
const LAST = Array.from({ length: WINDOW }).reduce<number>((power) => Math.imul(power, BASE), 1);

/** Returns the hash of the window moved by one character (Rabin and Karp). */
function rolled(hash: number, entering: number, leaving: number): number {
  return (Math.imul(hash, BASE) + entering - Math.imul(leaving, LAST)) | 0;
}

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = rolled(hash, text.charCodeAt(at), 0);
  return hash;
}
