/** One statement of a function's resource policy, as GetPolicy returns it. */
export interface PolicyStatement {
  Effect?: string;
  Principal?: unknown;
  Action?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

const COGNITO = 'cognito-idp.amazonaws.com';
const INVOKE = 'lambda:InvokeFunction';

/**
 * Checks whether a function's policy lets Cognito invoke it for this pool. A statement with conditions that
 * are not known here permits nothing.
 *
 * @returns `open` if the policy lets Cognito invoke it for any pool of any account
 */
export function permits(statements: PolicyStatement[], poolArn: string): 'yes' | 'open' | 'no' {
  const about = statements.filter(
    ({ Principal, Action }) =>
      isCognito(Principal) && list(Action).some((action) => like(action, INVOKE, 'i')),
  );
  const applying = about.filter((statement) => applies(statement, poolArn));
  const allowing = applying.filter(({ Effect }) => Effect === 'Allow');
  if (allowing.length === 0 || applying.some(({ Effect }) => Effect === 'Deny')) return 'no';
  return allowing.some(({ Condition }) => Object.keys(Condition ?? {}).length === 0) ? 'open' : 'yes';
}

function isCognito(principal: unknown): boolean {
  if (principal === '*') return true;
  const { Service, AWS } = (principal ?? {}) as { Service?: string | string[]; AWS?: string | string[] };
  return list(Service).includes(COGNITO) || list(AWS).includes('*');
}

function applies({ Condition = {} }: PolicyStatement, poolArn: string): boolean {
  const [, , , , account = ''] = poolArn.split(':');
  const actual: Record<string, string> = { 'aws:sourcearn': poolArn, 'aws:sourceaccount': account };
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const value = actual[key.toLowerCase()];
      const matches = OPERATORS[operator];
      return (
        value !== undefined &&
        matches !== undefined &&
        list(wanted).some((pattern) => matches(pattern, value))
      );
    }),
  );
}

const OPERATORS: Record<string, (pattern: string, value: string) => boolean> = {
  StringEquals: (pattern, value) => pattern === value,
  StringLike: like,
  ArnEquals: arnLike,
  ArnLike: arnLike,
};

/** Compares each of an ARN's six parts by itself (IAM's ARN condition operators). */
function arnLike(pattern: string, value: string): boolean {
  const parts = (arn: string) => {
    const [head = [], tail] = [arn.split(':').slice(0, 5), arn.split(':').slice(5).join(':')];
    return [...head, tail];
  };
  const [patterns, values] = [parts(pattern), parts(value)];
  return patterns.every((part, index) => like(part, values[index] ?? ''));
}

function like(pattern: string, value: string, flags = ''): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, `s${flags}`).test(value);
}

function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat();
}
