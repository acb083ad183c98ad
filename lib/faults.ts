import * as v from 'valibot';
import { fault } from './config-rules.ts';

type Issue = v.BaseIssue<unknown>;

const pathOf = (issue: Issue) => (issue.path ?? []).map(({ key }) => String(key)).join('.');

/** Valibot's own messages begin so; one that does not is a schema's, and says what is allowed. */
const OWN_MESSAGE = /^Invalid /;

/**
 * Takes every setting that the schema does not know out of `given`, and returns a line for each.
 *
 * @param removed why a setting of an earlier version is gone, by its path
 */
export function takeUnknown(
  schema: v.GenericSchema,
  given: unknown,
  removed: Readonly<Record<string, string>>,
): string[] {
  const faults: string[] = [];
  // Valibot reports one unknown name of each object.
  for (;;) {
    const unknown = (v.safeParse(schema, given).issues ?? []).filter(isUnknownName);
    if (unknown.length === 0) return faults;
    for (const issue of unknown) {
      const path = pathOf(issue);
      const why = Object.hasOwn(removed, path) ? removed[path] : undefined;
      faults.push(
        why === undefined
          ? `${path}: no such setting; allowed: ${issue.message}`
          : `${path}: is no longer a setting: ${why}`,
      );
      const last = issue.path?.at(-1);
      if (last?.type === 'object') Reflect.deleteProperty(last.input, last.key);
    }
  }
}

function isUnknownName({ type, expected, path }: Issue): boolean {
  return type === 'strict_object' && expected === 'never' && path?.at(-1)?.type === 'object';
}

/** Returns a line for each value that its schema does not allow. */
export function valueFaults(issues: readonly Issue[]): string[] {
  const lines = issues.map((issue) => {
    const last = issue.path?.at(-1);
    const allowed = OWN_MESSAGE.test(issue.message) ? (issue.expected ?? issue.message) : issue.message;
    if (issue.type === 'strict_object' && last?.origin === 'key')
      return `${pathOf(issue)}: is missing; needed: ${allowed}`;
    return fault(pathOf(issue), last?.origin === 'key' ? last.key : last ? last.value : issue.input, allowed);
  });
  // A fraction out of range fails twice.
  return [...new Set(lines)];
}
