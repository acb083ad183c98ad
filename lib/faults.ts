import type * as v from 'valibot';
import { fault } from './config-rules.ts';

interface Node {
  type: string;
  wrapped?: Node;
  item?: Node;
  value?: Node;
  entries?: Record<string, Node>;
  pipe?: Node[];
  options?: unknown;
  literal?: unknown;
  requirement?: unknown;
  message?: unknown;
}

/** The schema itself, without what makes it optional. */
function bare(schema: Node): Node {
  return schema.wrapped ? bare(schema.wrapped) : schema;
}

/** The forms that a union allows; undefined for anything else. */
function formsOf({ type, options }: Node): Node[] | undefined {
  return type === 'union' ? (options as Node[]) : undefined;
}

function child(schema: Node, key: PropertyKey): Node | undefined {
  const forms = formsOf(bare(schema));
  if (forms) return forms.map((form) => child(form, key)).find((found) => found);
  const { entries, value, item } = bare(schema);
  return entries ? (Object.hasOwn(entries, key) ? entries[String(key)] : undefined) : (value ?? item);
}

/** What a schema allows, in words. */
export function allowed(schema: Node): string {
  const { type, options, literal, entries, pipe = [] } = bare(schema);
  const rule = (wanted: string) => pipe.find((action) => action.type === wanted);
  const worded = pipe.find((action) => typeof action.message === 'string');
  if (worded) return String(worded.message);
  const forms = formsOf(bare(schema));
  if (forms) return forms.map(allowed).join('; ');
  if (type === 'literal') return JSON.stringify(literal);
  if (Array.isArray(options)) return options.map((option) => JSON.stringify(option)).join(', ');
  if (entries) return `an object of ${Object.keys(entries).join(', ')}`;
  if (type === 'number') {
    const kind = rule('integer') ? 'a whole number' : 'a number';
    const [least, most] = [rule('min_value')?.requirement, rule('max_value')?.requirement];
    return least === undefined ? kind : `${kind} from ${least} to ${most}`;
  }
  if (type === 'array') return `${rule('min_length') ? 'a list of one or more' : 'a list'}`;
  if (type === 'boolean') return 'true, false';
  if (type === 'record') return 'an object';
  return rule('min_length') ? 'a text, not empty' : 'a text';
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const [above = 0, left = 0, corner = 0] = [row[j + 1], next[j], row[j]];
      next.push(Math.min(above + 1, left + 1, corner + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What is given, parted into the settings that the schema knows and a line for each that it does not. */
export function partUnknown(
  schema: v.GenericSchema,
  given: unknown,
  at: string[] = [],
): { known: unknown; faults: string[] } {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { known: given, faults: [] };
  // Which form of a union was meant is not known here: it is told as a wrong value.
  if (formsOf(bare(schema))) return { known: given, faults: [] };
  const { entries } = bare(schema);
  const known: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    const inner = child(schema, key);
    if (inner) {
      const parted = partUnknown(inner as v.GenericSchema, value, [...at, key]);
      known[key] = parted.known;
      faults.push(...parted.faults);
    } else if (entries) {
      const names = Object.keys(entries);
      const [nearest] = names.toSorted((a, b) => distance(key, a) - distance(key, b));
      faults.push(
        `${[...at, key].join('.')}: no such setting; the nearest is ${nearest}, of: ${names.join(', ')}`,
      );
    }
  }
  return { known, faults };
}

/** A line for each value that its schema does not allow. */
export function valueFaults(root: v.GenericSchema, issues: readonly v.BaseIssue<unknown>[]): string[] {
  const lines = issues.map((issue) => {
    const last = issue.path?.at(-1);
    const keys = (issue.path ?? []).map(({ key }) => String(key));
    if (issue.kind === 'validation' && last?.origin === 'key')
      return fault(keys.join('.'), last.key, issue.message);
    const at = keys.reduce<Node | undefined>((schema, key) => schema && child(schema, key), root);
    return fault(keys.join('.'), last ? last.value : issue.input, at ? allowed(at) : issue.message);
  });
  return [...new Set(lines)];
}
