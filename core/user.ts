/** A person, by the name their issuer gives them. Two realms never share a user. */
export interface User {
  realm: string;
  /** The issuer's `sub`: at most 255 characters (OpenID Connect Core §2). */
  sub: string;
}

/**
 * Joins parts so that no two lists of parts give the same bytes: each is preceded by its length as 32 bits. What is
 * derived from, or bound to, several names uses this and never a separator that a name could contain.
 */
export function lengthPrefixed(...parts: string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
