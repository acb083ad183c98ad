/**
 * Folders whose files run together, and in how many processes. They load the same modules and use the same services.
 * Folders whose files close servers of their own in `after` run apart: in a lane that hook runs before the file's tests.
 */
const TOGETHER: [RegExp, number][] = [
  [/^test\/functions\/(cognito\/)?[^/]+$/, 4],
  [/^test\/core\//, 1],
];

/** Those that take longest, before all others: none is left for the end. */
const LONG = /^test\/(faults|fuzz|model)\/|rotation-under-load|test\/bin\//;

/** Divides test files into lanes: the files of a lane run one after the other in one process. The longest come first. */
export function lanesOf(files: string[]): string[][] {
  const together = TOGETHER.flatMap(([folder, lanes]) => {
    const inFolder = files.filter((file) => folder.test(file) && !LONG.test(file));
    return Array.from({ length: lanes }, (_, lane) => inFolder.filter((_, index) => index % lanes === lane));
  });
  const alone = files.filter((file) => !together.some((lane) => lane.includes(file)));
  const long = alone.filter((file) => LONG.test(file)).map((file) => [file]);
  const short = alone.filter((file) => !LONG.test(file)).map((file) => [file]);
  return [...long, ...together, ...short].filter((lane) => lane.length > 0);
}
