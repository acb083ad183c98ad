/** One change of the code that breaks a promise: some test has to fail by it. */
export interface Mutation {
  /** From the root of the project. */
  file: string;
  /** Stands in the file exactly once. */
  find: string;
  replace: string;
  /** The promise that breaks, as what happens then. */
  promise: string;
  /** Why no test fails by it; undefined where one has to. */
  survives?: string;
}

/** The mutations of one file. */
export function of(file: string, mutations: Omit<Mutation, 'file'>[]): Mutation[] {
  return mutations.map((mutation) => ({ file, ...mutation }));
}

/**
 * The source with the mutation in it.
 *
 * @throws Error if the text to be replaced does not stand there exactly once: the code has changed, and the list has to follow
 */
export function mutated(source: string, { file, find, replace }: Mutation): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} holds this ${source.split(find).length - 1} times instead of once: ${find}`);
  }
  return before + replace + after;
}
