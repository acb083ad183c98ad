/** A person, by the name their issuer gives them. Two realms never share a user. */
export interface User {
  realm: string;
  /** The issuer's `sub`: at most 255 characters (OpenID Connect Core §2). */
  sub: string;
}

/** The longest `sub` a token may have (OpenID Connect Core §2). */
const LONGEST_SUBJECT = 255;

/**
 * Returns the `sub` that stands for a user in own tokens. It is the plain `sub` in the home realm, and `<realm>|<sub>` in
 * any other, so that no two users share one (RFC 7519 §4.1.2). A realm's name holds no `|` (settings.ts).
 *
 * Undefined if there is no such `sub`: it would be empty or too long, or a home user's would hold a `|`.
 */
export function subjectOf({ realm, sub }: User, homeRealm: string): string | undefined {
  if (sub === '' || (realm === homeRealm && sub.includes('|'))) return undefined;
  const subject = realm === homeRealm ? sub : `${realm}|${sub}`;
  return subject.length <= LONGEST_SUBJECT ? subject : undefined;
}

/** Returns the user of an own token by its `sub` and `realm`; undefined if the two do not fit each other. */
export function userOfSubject(subject: string, realm: string, homeRealm: string): User | undefined {
  const sub = realm === homeRealm ? subject : subject.slice(realm.length + 1);
  const user = { realm, sub };
  return subjectOf(user, homeRealm) === subject ? user : undefined;
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
