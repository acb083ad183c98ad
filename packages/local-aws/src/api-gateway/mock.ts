import type { Resource } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import type { Answer } from './gateway-response.ts';

/** A MOCK integration for CORS preflights: fixed headers, and a list of allowed origins. */
export interface MockIntegration {
  status: number;
  headers: Record<string, string>;
  /** Each of these origins replaces the fixed one if it asks. */
  origins: string[];
}

interface IntegrationResponse {
  StatusCode: string;
  SelectionPattern?: string;
  ResponseParameters?: Record<string, string>;
  ResponseTemplates?: Record<string, string>;
}

/** Reads a MOCK integration. @throws Error for any but the one template the CDK writes for preflights. */
export function readMock(method: Resource, integration: Record<string, unknown>): MockIntegration {
  const refuse = (what: string): never => {
    throw new Error(`${method.logicalId}: ${what} is not known here.`);
  };
  known(method, integration, ['IntegrationResponses', 'PassthroughBehavior', 'RequestTemplates', 'Type']);
  const request = (integration['RequestTemplates'] ?? {}) as Record<string, string>;
  if (!/^\{ *"?statusCode"?: *200 *\}$/.test(request['application/json'] ?? ''))
    refuse('this request template');

  const responses = (integration['IntegrationResponses'] ?? []) as IntegrationResponse[];
  const [response] = responses;
  if (!response || responses.length > 1 || response.SelectionPattern) return refuse('more than one response');
  const declared = ((method.properties['MethodResponses'] ?? []) as IntegrationResponse[]).find(
    ({ StatusCode }) => StatusCode === response.StatusCode,
  );
  const headers: Record<string, string> = {};
  for (const [target, source] of Object.entries(response.ResponseParameters ?? {})) {
    const [, name] = /^method\.response\.header\.(.+)$/.exec(target) ?? [];
    const literal = /^'(.*)'$/s.exec(source)?.[1];
    if (!name || literal === undefined) return refuse(`${target} = ${source}`);
    if (declared?.ResponseParameters?.[target] === undefined) return refuse(`undeclared ${target}`);
    headers[name] = literal;
  }
  const { 'application/json': template, ...others } = response.ResponseTemplates ?? {};
  const [other] = Object.keys(others);
  if (other) return refuse(`a response template for ${other}`);
  return {
    status: Number(response.StatusCode),
    headers,
    origins: template ? (readOrigins(template) ?? refuse('this response template')) : [],
  };
}

/** Reads the allowed origins from the template that the CDK writes for several of them. */
function readOrigins(template: string): string[] | undefined {
  const lines = template.split('\n').map((line) => line.trim());
  const expected = [
    '#set($origin = $input.params().header.get("Origin"))',
    '#if($origin == "")',
    '#set($origin = $input.params().header.get("origin"))',
    '#end',
    undefined,
    '#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)',
    '#end',
  ];
  const same =
    lines.length === expected.length &&
    expected.every((line, at) => line === undefined || line === lines[at]);
  const [, condition] = /^#if\((.+)\)$/.exec(lines[4] ?? '') ?? [];
  if (!same || condition === undefined) return undefined;
  const origins = condition.split(' || ').map((part) => /^\$origin == "([^"]*)"$/.exec(part)?.[1]);
  return origins.every((origin) => origin !== undefined) ? origins : undefined;
}

/** The integration's answer to a request from this origin. */
export function answerMock(mock: MockIntegration, origin: string | undefined): Answer {
  const headers = Object.entries(mock.headers).map(([name, value]): [string, string] => {
    const asked = name.toLowerCase() === 'access-control-allow-origin' && mock.origins.includes(origin ?? '');
    return [name, asked && origin !== undefined ? origin : value];
  });
  return { status: mock.status, headers: [...headers, ['Content-Type', 'application/json']], body: '' };
}
