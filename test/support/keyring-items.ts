import assert from 'node:assert/strict';
import type { Item } from '../../adapters/attributes.ts';
import type { KeyKind } from '../../core/key-kind.ts';
import type { Service } from '../../local/service.ts';
import { storedItem } from './stored.ts';

/** The keys of an item of the keyring, the first to be used first; none where there is no item. */
export function keysIn(item: Item | undefined): { id: string; activeFrom: number }[] {
  const keys = (item?.['keys']?.L ?? []).map(({ M }) => ({
    id: M?.['id']?.S ?? assert.fail(),
    activeFrom: Number(M?.['activeFrom']?.N),
  }));
  return keys.toSorted((one, other) => one.activeFrom - other.activeFrom);
}

/** The keys of one kind, as stored: the first to be used first. */
export async function storedKeys(service: Service, kind: KeyKind) {
  return keysIn(await storedItem(service, `KEYRING#${kind}`));
}

/** Runs `rotate-keys` or `reseal` as its schedule does, or with what somebody says by hand; it has to succeed. */
export async function keep(service: Service, operation: 'rotate-keys' | 'reseal', event: object = {}) {
  const result = await service.invoke(operation, event);
  assert.ok(result.ok, JSON.stringify(result));
  return result.payload as Record<string, unknown>;
}

/** The key ids that are published now. */
export async function published({ url }: Service): Promise<string[]> {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  assert.equal(response.status, 200);
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}
