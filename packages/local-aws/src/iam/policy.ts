/** One statement of an IAM, key or function policy. Its intrinsic functions are resolved already. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Principal?: unknown;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[] | boolean>>;
}

/** Signs requests: a function under its role, or a user of the account. */
export interface Principal {
  /** `arn:aws:sts::<account>:assumed-role/<role>/<function>` or `arn:aws:iam::<account>:user/<name>`. */
  arn: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The identity's own policies. */
  policies: Statement[];
}

/** One action on one resource, with the condition keys of the request. */
export interface AccessRequest {
  action: string;
  resource: string;
  context: Record<string, string | string[]>;
}

const ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** Whether a value of the request matches one of the policy's. `holds` negates the result for negated operators. */
const OPERATORS: Record<string, (actual: string, wanted: string) => boolean> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual, wanted) => wildcard(wanted).test(actual),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  ArnLike: (actual, wanted) => arnMatches(wanted, actual),
  ArnEquals: (actual, wanted) => arnMatches(wanted, actual),
};

const NEGATED: Record<string, string> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotLike: 'ArnLike',
  ArnNotEquals: 'ArnEquals',
};

const checked = new WeakSet<Statement>();

/**
 * Decides as IAM does within one policy type: an explicit Deny wins, then an Allow is needed. It ignores `Principal`:
 * select a resource policy's statements by principal first.
 *
 * @throws Error named PolicyError for a statement this evaluator does not understand, as {@link checkStatements} does.
 */
export function isAllowed(statements: readonly Statement[], request: AccessRequest): boolean {
  return decide(statements, request) === 'Allow';
}

/** Decides like {@link isAllowed}, and tells an explicit Deny from a missing Allow (undefined). */
export function decide(
  statements: readonly Statement[],
  request: AccessRequest,
): 'Allow' | 'Deny' | undefined {
  checkStatements(statements);
  const matching = statements.filter((statement) => applies(statement, request));
  if (matching.some((statement) => statement.Effect === 'Deny')) return 'Deny';
  return matching.length > 0 ? 'Allow' : undefined;
}

/**
 * Refuses policies that would otherwise be misread.
 *
 * @throws Error named PolicyError, naming the statement and what in it is not understood: an unknown element or condition operator, a
 * policy variable, a missing action or resource, an ARN of fewer than six parts.
 */
export function checkStatements(statements: readonly Statement[]): void {
  for (const statement of statements) {
    if (checked.has(statement)) continue;
    const refuse = (what: string): never => {
      const error = new Error(`Policy statement ${statement.Sid ?? JSON.stringify(statement)}: ${what}`);
      throw Object.assign(error, { name: 'PolicyError' });
    };
    const unknown = Object.keys(statement).find((element) => !ELEMENTS.has(element));
    if (unknown) refuse(`unknown element ${unknown}`);
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') refuse('Effect must be Allow or Deny');
    if ((statement.Action === undefined) === (statement.NotAction === undefined)) {
      refuse('needs one of Action and NotAction');
    }
    if ((statement.Resource === undefined) === (statement.NotResource === undefined)) {
      refuse('needs one of Resource and NotResource');
    }
    for (const resource of list(statement.Resource ?? statement.NotResource)) {
      if (typeof resource !== 'string') refuse('a resource is not a string');
      if (resource !== '*' && resource.split(':').length < 6) refuse(`incomplete ARN ${resource}`);
      if (resource.includes('${')) refuse(`policy variables are not supported: ${resource}`);
    }
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      const { name, quantifier, ifExists } = parseOperator(operator);
      const known = name === 'Null' || Object.hasOwn(OPERATORS, name) || Object.hasOwn(NEGATED, name);
      if (!known || (name === 'Null' && (ifExists || quantifier))) {
        refuse(`unknown condition operator ${operator}`);
      }
      for (const value of Object.values(keys).flatMap((values) => list<string | boolean>(values))) {
        if (String(value).includes('${')) refuse(`policy variables are not supported: ${value}`);
      }
    }
    checked.add(statement);
  }
}

/**
 * The ARN by which policies name this principal: the role of an assumed-role session, else the principal's own.
 * A role's path is not part of its session ARN, so roles with a path cannot be told apart by it.
 */
export function identityArn(principal: Principal): string {
  const parts = principal.arn.split(':');
  const [kind, role] = (parts[5] ?? '').split('/');
  return kind === 'assumed-role' ? `arn:aws:iam::${parts[4]}:role/${role}` : principal.arn;
}

/** The global condition keys of every signed request. `aws:SecureTransport` is true, as it would be on AWS. */
export function principalContext(principal: Principal, region: string): Record<string, string> {
  const [, , , , account = '', name = ''] = principal.arn.split(':');
  return {
    'aws:PrincipalArn': identityArn(principal),
    'aws:PrincipalAccount': account,
    'aws:PrincipalType': name.startsWith('assumed-role/') ? 'AssumedRole' : 'User',
    'aws:RequestedRegion': region,
    'aws:SecureTransport': 'true',
  };
}

function applies(statement: Statement, request: AccessRequest): boolean {
  const { Action, NotAction, Resource, NotResource } = statement;
  const action = (patterns: string | string[] | undefined) =>
    list(patterns).some((pattern) => wildcard(pattern.toLowerCase()).test(request.action.toLowerCase()));
  const resource = (patterns: string | string[] | undefined) =>
    list(patterns).some((pattern) => arnMatches(pattern, request.resource));
  return (
    (NotAction === undefined ? action(Action) : !action(NotAction)) &&
    (NotResource === undefined ? resource(Resource) : !resource(NotResource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        holds(operator, valuesOf(request, key), list<string | boolean>(wanted).map(String), statement.Effect),
      ),
    )
  );
}

/**
 * One operator on one key. A missing key fails a plain operator, satisfies a negated one, `ForAllValues` and
 * `...IfExists`, and fails `ForAnyValue` (IAM User Guide, "Multivalued context keys").
 */
function holds(operator: string, actual: string[], wanted: string[], effect: Statement['Effect']): boolean {
  const { name, quantifier, ifExists } = parseOperator(operator);
  if (name === 'Null') return wanted.includes(String(actual.length === 0));
  const negated = Object.hasOwn(NEGATED, name);
  const matches = OPERATORS[negated ? String(NEGATED[name]) : name];
  if (!matches) throw new Error(`Unknown condition operator ${operator}`);
  const one = (value: string) => wanted.some((pattern) => matches(value, pattern)) !== negated;

  if (actual.length === 0) return ifExists || quantifier === 'ForAllValues' || (negated && !quantifier);
  if (quantifier === 'ForAllValues') return actual.every(one);
  if (quantifier === 'ForAnyValue') return actual.some(one);
  // AWS does not define several values under an operator for one. Here the result is the one that refuses.
  const [first, ...others] = actual;
  return first !== undefined && others.length === 0 ? one(first) : effect === 'Deny';
}

/** Condition key names are case-insensitive; two that differ in case only count as one key of several values. */
function valuesOf(request: AccessRequest, key: string): string[] {
  return Object.entries(request.context)
    .filter(([name]) => name.toLowerCase() === key.toLowerCase())
    .flatMap(([, value]) => value);
}

function parseOperator(operator: string): { name: string; quantifier?: string; ifExists: boolean } {
  const [, quantifier, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(operator) ?? [];
  return { name, ifExists: ifExists !== undefined, ...(quantifier === undefined ? {} : { quantifier }) };
}

/** Matches each of the six parts by itself, so that a wildcard never crosses into the next. */
function arnMatches(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = sixParts(pattern);
  const actual = sixParts(arn);
  return wanted.length === actual.length && wanted.every((part, at) => wildcard(part).test(actual[at] ?? ''));
}

function sixParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function list<T = string>(value: T | T[] | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
