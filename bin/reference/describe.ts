import type * as v from 'valibot';

/** A valibot schema or action, as far as it is read here. */
interface Node {
  type: string;
  wrapped?: Node;
  entries?: Record<string, Node>;
  item?: Node;
  options?: unknown[];
  literal?: unknown;
  pipe?: Node[];
  description?: string;
  message?: unknown;
}

/** One field of a body, in words. */
export interface Field {
  name: string;
  /** Whether it may be absent. */
  optional: boolean;
  form: string;
}

/** Returns the fields of each form that a body may have, by the schema. */
export function formsOf(schema: v.GenericSchema): Field[][] {
  const node: Node = schema;
  const forms = node.type === 'variant' ? (node.options as Node[]) : [node];
  return forms.map(({ entries = {} }) =>
    Object.entries(entries).map(([name, entry]) => ({
      name,
      optional: isOptional(entry),
      form: formOf(entry),
    })),
  );
}

const isOptional = ({ type }: Node) => type.endsWith('optional');

/** Returns the rules of a whole body, as in "exactly one of code and backupCode". */
export function rulesOf(schema: v.GenericSchema): string[] {
  return messagesOf(schema);
}

/** Says what a value may be. */
function formOf(node: Node): string {
  const { wrapped, pipe = [], type } = node;
  if (wrapped) return type === 'nullable' ? `${formOf(wrapped)}; or \`null\`` : formOf(wrapped);
  const described = pipe.find(({ description }) => description !== undefined)?.description;
  const kind = kindOf(node);
  const rules = described === undefined ? messagesOf(node) : [described];
  return rules.length === 0 ? kind : `${kind}: ${rules.join(', ')}`;
}

function kindOf({ type, literal, options = [], item, entries = {} }: Node): string {
  const values = (list: unknown[]) => list.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  switch (type) {
    case 'literal':
      return values([literal]);
    case 'picklist':
      return values(options);
    case 'union':
      return (options as Node[]).map(formOf).join('; or ');
    case 'array':
      return item ? `list of ${formOf(item)}` : 'list';
    case 'strict_object': {
      const fields = Object.entries(entries).map(
        ([name, entry]) => `\`${name}\` (${isOptional(entry) ? 'optional ' : ''}${formOf(entry)})`,
      );
      return `object of ${fields.join(', ')}`;
    }
    default:
      return type;
  }
}

/** The messages of the schema's own rules: they say what is allowed. Standard ones begin with "Invalid". */
function messagesOf({ pipe = [] }: Node): string[] {
  return pipe.flatMap(({ message }) => (typeof message === 'string' ? [message] : []));
}
