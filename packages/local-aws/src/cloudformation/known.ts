import type { Resource } from './deployment.ts';

/** Refuses a property that is not emulated: on AWS it would have an effect. */
export function known(
  resource: Resource,
  properties: Record<string, unknown>,
  names: readonly string[],
): void {
  const unknown = Object.keys(properties).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`${resource.logicalId} (${resource.type}): property ${unknown} is not known here.`);
  }
}
