import type * as v from 'valibot';
import { answers } from '../../functions/contract/answers.ts';
import { type ErrorMeaning, gatewayErrors, operationErrors } from '../../functions/contract/errors.ts';
import { mayBeAbsent, requests } from '../../functions/contract/requests.ts';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
import { type Field, formsOf, rulesOf } from './describe.ts';

const CALLERS: Record<Route['caller'], string> = {
  open: 'nothing',
  key: 'an API key',
  bearer: 'an API key and an access token',
  iam: "an API key and an administrator's SigV4 signature",
};

/** Returns docs/endpoints.md, made from the contract. */
export function endpointsPage(): string {
  const all = Object.entries(routes) as [Operation, Route][];
  return `# Endpoints

Made from \`functions/routes.ts\` and \`functions/contract/\` by \`npm run reference\`. Edit those.

Bodies and answers are JSON. Unknown fields are refused. Every error is a problem document: [errors.md](errors.md).

${all.map(([operation, route]) => sectionOf(operation, route)).join('\n')}`;
}

function sectionOf(operation: Operation, { method, path, caller, summary }: Route): string {
  const request: v.GenericSchema | undefined = Object.entries(requests).find(
    ([name]) => name === operation,
  )?.[1];
  const answer: { status: number; body?: v.GenericSchema } = answers[operation];
  const lines = [
    `## ${operation}`,
    '',
    `\`${method} ${path}\`: ${summary}`,
    '',
    `Needs ${CALLERS[caller]}.`,
    '',
  ];
  if (request) {
    const rules = rulesOf(request).map((rule) => `, ${rule}`);
    lines.push(`Body${mayBeAbsent(operation) ? ', which may be absent' : ''}${rules.join('')}:`, '');
    lines.push(...tables(formsOf(request)));
  }
  if (answer.body) lines.push(`Answer, ${answer.status}:`, '', ...tables(formsOf(answer.body)));
  else lines.push(`Answer, ${answer.status}: no body.`, '');
  return lines.join('\n');
}

function tables(forms: Field[][]): string[] {
  return forms.flatMap((fields, index) => [
    ...(index > 0 ? ['or', ''] : []),
    '| field | | form |',
    '|---|---|---|',
    ...fields.map(({ name, optional, form }) => `| \`${name}\` | ${optional ? 'optional' : ''} | ${form} |`),
    '',
  ]);
}

/** Returns docs/errors.md with its two tables made from the contract. @param page the page as it is */
export function errorsPage(page: string): string {
  const parts = { operations: operationErrors, gateway: gatewayErrors };
  return Object.entries<Record<string, ErrorMeaning>>(parts).reduce((text, [name, errors]) => {
    const marked = new RegExp(`(<!-- ${name}: made by npm run reference -->\n).*?(\n<!-- end -->)`, 's');
    if (!marked.test(text)) throw new Error(`docs/errors.md has no place for the table of ${name}.`);
    return text.replace(marked, (_, begin: string, end: string) => `${begin}${errorTable(errors)}${end}`);
  }, page);
}

function errorTable(errors: Record<string, ErrorMeaning>): string {
  const rows = Object.entries(errors).map(
    ([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`,
  );
  return ['| code | status | meaning |', '|---|---|---|', ...rows].join('\n');
}
