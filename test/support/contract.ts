import * as v from 'valibot';
import { answers, problem } from '../../functions/contract/answers.ts';
import { type ErrorMeaning, gatewayErrors, operationErrors } from '../../functions/contract/errors.ts';
import { type Operation, type Route, routes } from '../../functions/routes.ts';

export interface Told {
  status: number;
  /** With names in lower case. */
  headers: Record<string, string | undefined>;
  /** Undefined if the request was a HEAD. */
  body: string | undefined;
}

const patterns = Object.entries<Route>(routes).map(([operation, { method, path }]) => ({
  operation: operation as Operation,
  pattern: new RegExp(`^${method} ${path.replace(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Returns the operation of a request. @param request as in `GET /v1/authenticators` */
export function operationOf(request: string): Operation | undefined {
  return patterns.find(({ pattern }) => pattern.test(request))?.operation;
}

/** Returns how an answer is outside functions/contract/; undefined if it is inside. */
export function breachOf(operation: Operation | undefined, told: Told): string | undefined {
  return told.status < 400 ? breachOfSuccess(operation, told) : breachOfError(told);
}

function breachOfSuccess(
  operation: Operation | undefined,
  { status, headers, body }: Told,
): string | undefined {
  if (operation === undefined) return `${status} for what is no operation`;
  const answer: { status: number; body?: v.GenericSchema } = answers[operation];
  if (status !== answer.status) return `${status} instead of ${answer.status}`;
  if (routes[operation].caller !== 'open' && headers['cache-control'] !== 'no-store')
    return 'it may be cached';
  if (!answer.body) return body ? 'a body where there is none' : undefined;
  if (headers['content-type'] !== 'application/json') return `the type ${headers['content-type']}`;
  return body === undefined ? undefined : misfit(answer.body, body);
}

const meanings = new Map<string, ErrorMeaning>(Object.entries({ ...operationErrors, ...gatewayErrors }));

function breachOfError({ status, headers, body }: Told): string | undefined {
  if (headers['cache-control'] !== 'no-store') return `${status} may be cached`;
  if (headers['content-type'] !== 'application/problem+json') return `the type ${headers['content-type']}`;
  if (body === undefined) return undefined;
  const wrong = misfit(problem, body);
  if (wrong !== undefined) return wrong;
  const { code, type, title, status: said } = v.parse(problem, JSON.parse(body));
  const meaning = meanings.get(code);
  if (!meaning) return `the code ${code}, which is in no table`;
  const right = meaning.status === status && said === status && meaning.title === title;
  return right && type === `urn:countersign:error:${code}`
    ? undefined
    : `another status, title or type of ${code}`;
}

/** Says which field does not fit, and quotes no value: it may be a secret. */
function misfit(schema: v.GenericSchema, body: string): string | undefined {
  try {
    const { issues } = v.safeParse(schema, JSON.parse(body));
    return issues?.map((issue) => `${v.getDotPath(issue) ?? 'the body'} is no ${issue.expected}`).join(', ');
  } catch {
    return 'a body that is no JSON';
  }
}
