/** The uses of the keyring's keys. Each kind has one item, and an encryption context of its own. */
export const keyKinds = ['data', 'backup-code', 'signing'] as const;

export type KeyKind = (typeof keyKinds)[number];

/** Kinds whose keys seal secrets or digest codes. */
export type SecretKeyKind = Exclude<KeyKind, 'signing'>;
