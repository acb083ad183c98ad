import { base32nopad } from '@scure/base';

/** What must not be seen: by what it is, its bytes. */
export interface Secrets {
  add(what: string, secret: string | Uint8Array): void;
  /** What is found of them in a text, in whatever encoding; empty where nothing is. */
  foundIn(text: string): string[];
  readonly size: number;
}

/** What a form of a secret has in common with others is not looked up: the first so many characters are. */
const WINDOW = 8;
/** Bits of the filter that nearly every place of a text is dismissed by. */
const FILTER_BITS = 22;
/** Short numbers: in plain they are found as numbers of their own, since digits stand by chance in longer ones. */
const NUMBER = /(?<![0-9a-z])\d{6,8}(?![0-9a-z])/gi;

/**
 * Many secrets, and much text to search for all of them: in plain, hex, base32, and base64 at any place of a longer text. A
 * window slides over the text, and only where it holds the beginning of a form is that compared.
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

/** As it stands at each of the three places that a byte of a longer text may have in base64, in both alphabets. */
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
    /** Forms shorter than the window are left out: they stand by chance. */
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

/** The hash of a window moved on by one character: Rabin and Karp's. */
function rolled(hash: number, entering: number, leaving: number): number {
  return (Math.imul(hash, BASE) + entering - Math.imul(leaving, LAST)) | 0;
}

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = rolled(hash, text.charCodeAt(at), 0);
  return hash;
}
