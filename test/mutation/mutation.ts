/** One change of the code that breaks a promise, so some test must fail. */
export interface Mutation {
  /** Path from the root of the project. */
  file: string;
  /** Text to replace. The file contains it exactly once. */
  find: string;
  replace: string;
  /** The broken promise, told as what goes wrong. */
  promise: string;
  /** Why no test fails. Undefined if one must fail. */
  survives?: string;
}

/** Adds the file's path to its mutations. */
export function of(file: string, mutations: Omit<Mutation, 'file'>[]): Mutation[] {
  return mutations.map((mutation) => ({ file, ...mutation }));
}

/**
 * Returns the source with the mutation applied.
 *
 * @throws Error unless the source contains `find` exactly once. The code has changed, so the list must
 * follow.
 */
export function mutated(source: string, { file, find, replace }: Mutation): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} contains this ${source.split(find).length - 1} times instead of once: ${find}`);
  }
  return before + replace + after;
}
