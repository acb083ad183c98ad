/** Resolves the names that the intrinsic functions of one stack's template use. */
export interface Scope {
  stack: string;
  /** Returns the value of a resource, parameter or pseudo parameter; undefined if there is none of that name. */
  ref(name: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  importValue(name: string): unknown;
  stackOutput(stack: string, name: string): unknown;
  /** The condition's own expression; undefined if there is none. */
  condition(name: string): unknown;
  mapping(map: string, key: string, name: string): unknown;
}

/** Stands for `AWS::NoValue`: the property or list member is left out. */
const NO_VALUE = Symbol('AWS::NoValue');

/**
 * Resolves every intrinsic function in a template's value, as CloudFormation does.
 *
 * @throws Error that names the function or the name it does not know, and the stack.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = evaluate(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/** Whether the named condition holds. @throws Error if there is no such condition. */
export function conditionHolds(name: string, scope: Scope): boolean {
  const expression = scope.condition(name);
  if (expression === undefined) return fail(scope, `unknown condition ${name}`);
  return truth(evaluate(expression, scope), scope);
}

function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((member) => evaluate(member, scope)).filter((member) => member !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) return value;

  const entries = Object.entries(value);
  const [first] = entries;
  if (first && entries.length === 1) {
    const [name, argument] = first;
    if (name === 'Ref') return reference(text(argument, 'Ref', scope), scope);
    if (name === 'Condition' && typeof argument === 'string') return conditionHolds(argument, scope);
    if (name.startsWith('Fn::')) return call(name, argument, scope);
  }
  const resolved = entries.map(([name, member]) => [name, evaluate(member, scope)] as const);
  return Object.fromEntries(resolved.filter(([, member]) => member !== NO_VALUE));
}

function reference(name: string, scope: Scope): unknown {
  if (name === 'AWS::NoValue') return NO_VALUE;
  const value = scope.ref(name);
  return value === undefined ? fail(scope, `Ref of ${name}, which is nothing known`) : value;
}

function call(name: string, argument: unknown, scope: Scope): unknown {
  const intrinsic = INTRINSICS[name];
  return intrinsic ? intrinsic(argument, scope) : fail(scope, `unknown intrinsic function ${name}`);
}

const INTRINSICS: Record<string, (argument: unknown, scope: Scope) => unknown> = {
  'Fn::GetAtt'(argument, scope) {
    const [logicalId, ...name] = typeof argument === 'string' ? argument.split('.') : list(argument, scope);
    return scope.attribute(
      text(logicalId, 'Fn::GetAtt', scope),
      name.map((part) => text(part, 'Fn::GetAtt', scope)).join('.'),
    );
  },
  'Fn::Join'(argument, scope) {
    const [separator, members] = list(argument, scope);
    const texts = list(evaluate(members, scope), scope).map((member) => text(member, 'Fn::Join', scope));
    return texts.join(text(separator, 'Fn::Join', scope));
  },
  'Fn::Sub'(argument, scope) {
    const [template, own] = typeof argument === 'string' ? [argument, {}] : list(argument, scope);
    const variables = new Map(Object.entries(evaluate(own ?? {}, scope) as Record<string, unknown>));
    return text(template, 'Fn::Sub', scope).replace(
      /\$\{(!?)([^}]+)\}/g,
      (_, escaped: string, name: string) => {
        if (escaped) return `\${${name}}`;
        if (variables.has(name)) return text(variables.get(name), 'Fn::Sub', scope);
        const value =
          name.startsWith('AWS::') || !name.includes('.') ? { Ref: name } : { 'Fn::GetAtt': name };
        return text(evaluate(value, scope), 'Fn::Sub', scope);
      },
    );
  },
  'Fn::Select'(argument, scope) {
    const [index, members] = list(argument, scope);
    const member = list(evaluate(members, scope), scope)[Number(evaluate(index, scope))];
    return member === undefined
      ? fail(scope, `Fn::Select beyond its list: ${JSON.stringify(argument)}`)
      : member;
  },
  'Fn::Split'(argument, scope) {
    const [separator, whole] = list(argument, scope);
    return text(evaluate(whole, scope), 'Fn::Split', scope).split(text(separator, 'Fn::Split', scope));
  },
  'Fn::ImportValue': (argument, scope) =>
    scope.importValue(text(evaluate(argument, scope), 'Fn::ImportValue', scope)),
  'Fn::GetStackOutput'(argument, scope) {
    const { StackName, OutputName } = evaluate(argument, scope) as Record<string, unknown>;
    return scope.stackOutput(
      text(StackName, 'Fn::GetStackOutput', scope),
      text(OutputName, 'Fn::GetStackOutput', scope),
    );
  },
  'Fn::FindInMap'(argument, scope) {
    const [map, key, name] = list(evaluate(argument, scope), scope).map((part) =>
      text(part, 'Fn::FindInMap', scope),
    );
    return scope.mapping(map ?? '', key ?? '', name ?? '');
  },
  'Fn::If'(argument, scope) {
    const [condition, then, otherwise] = list(argument, scope);
    return evaluate(conditionHolds(text(condition, 'Fn::If', scope), scope) ? then : otherwise, scope);
  },
  'Fn::Equals'(argument, scope) {
    const [one, other] = list(evaluate(argument, scope), scope);
    return JSON.stringify(one) === JSON.stringify(other);
  },
  'Fn::And': (argument, scope) =>
    list(evaluate(argument, scope), scope).every((member) => truth(member, scope)),
  'Fn::Or': (argument, scope) =>
    list(evaluate(argument, scope), scope).some((member) => truth(member, scope)),
  'Fn::Not': (argument, scope) => !truth(list(evaluate(argument, scope), scope)[0], scope),
};

function text(value: unknown, where: string, scope: Scope): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  return fail(scope, `${where} of ${JSON.stringify(value)}, which is no text`);
}

function list(value: unknown, scope: Scope): unknown[] {
  return Array.isArray(value) ? value : fail(scope, `${JSON.stringify(value)} where a list belongs`);
}

function truth(value: unknown, scope: Scope): boolean {
  if (typeof value === 'boolean') return value;
  return fail(scope, `${JSON.stringify(value)} where a condition belongs`);
}

function fail(scope: Scope, what: string): never {
  throw new Error(`Template of ${scope.stack}: ${what}.`);
}
