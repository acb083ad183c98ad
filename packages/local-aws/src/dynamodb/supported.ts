import type { Operand, Request, Term } from 'dynalite/db/index.js';
import { AwsError } from '../aws-error.ts';

/** Parameters from before expressions. dynalite would evaluate them by other rules than those checked here. */
const LEGACY = ['AttributesToGet', 'AttributeUpdates', 'ConditionalOperator', 'Expected', 'ScanFilter'];
const EQUALITY = ['=', '<>'];
const ORDER = ['<', '<=', '>', '>='];

/**
 * Refuses what dynalite evaluates otherwise than DynamoDB, so that no condition holds here and fails on AWS.
 *
 * dynalite compares binary values as UTF-8 text, orders strings by UTF-16 units, finds no two maps or lists equal but
 * two absent attributes, and misjudges empty strings in functions. `SET a = b` makes both attributes share one value.
 *
 * @throws AwsError UnsupportedOperationException
 */
export function checkSupported(input: Record<string, unknown>, request: Request): void {
  const legacy = LEGACY.find((name) => input[name] !== undefined);
  if (legacy !== undefined) throw unsupported(`the legacy parameter ${legacy}`);
  if (request._condition) checkCondition(request._condition.expression);
  if (request._filter) checkCondition(request._filter.expression);
  for (const { type, val } of request._updates?.sections ?? []) {
    if (type === 'set' && val && (isPath(val) || isFunction(val))) {
      throw unsupported('SET from another attribute or a function');
    }
  }
}

/** Accepts attribute_exists and its opposite, begins_with a text, and comparisons of an attribute with a text or number. */
function checkCondition({ type, name, args }: Term): void {
  if (type === 'and' || type === 'or' || type === 'not') {
    for (const term of args) if (isTerm(term)) checkCondition(term);
    return;
  }
  if (type === 'function' && (name === 'attribute_exists' || name === 'attribute_not_exists')) return;
  const [attribute, value] = args;
  const types =
    name === 'begins_with' ? ['S'] : EQUALITY.includes(type) ? ['S', 'N'] : ORDER.includes(type) ? ['N'] : [];
  const comparable =
    attribute !== undefined &&
    value !== undefined &&
    isPath(attribute) &&
    !isPath(value) &&
    types.includes(Object.keys(value)[0] ?? '');
  if (!comparable) throw unsupported(`this use of ${name ?? type} in a condition`);
}

function isPath(operand: Operand): boolean {
  return Array.isArray(operand);
}

function isTerm(operand: Operand): operand is Term {
  return !Array.isArray(operand) && Array.isArray(operand['args']);
}

function isFunction(operand: Operand): boolean {
  return isTerm(operand) && operand.type === 'function';
}

function unsupported(what: string): AwsError {
  return new AwsError('UnsupportedOperationException', `The local DynamoDB does not evaluate ${what}.`);
}
