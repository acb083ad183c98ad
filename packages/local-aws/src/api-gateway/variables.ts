/** The $context variables of one request, by name without `$context.`. */
export type Variables = Record<string, string>;

/** The variables that gateway responses and access logs may name here. */
export const VARIABLES = [
  'accountId',
  'apiId',
  'domainName',
  'error.message',
  'error.messageString',
  'error.responseType',
  'extendedRequestId',
  'httpMethod',
  'identity.accessKey',
  'identity.apiKeyId',
  'identity.caller',
  'identity.sourceIp',
  'identity.user',
  'identity.userAgent',
  'identity.userArn',
  'integrationErrorMessage',
  'integrationLatency',
  'integration.error',
  'integration.status',
  'integrationStatus',
  'path',
  'protocol',
  'requestId',
  'requestTime',
  'requestTimeEpoch',
  'resourceId',
  'resourcePath',
  'responseLatency',
  'responseLength',
  'stage',
  'status',
] as const;

const VARIABLE = /\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)/g;

/** Refuses a template that names a variable not known here, or holds anything else that would be evaluated. */
export function checkTemplate(where: string, template: string): void {
  for (const [variable, name = ''] of template.matchAll(VARIABLE)) {
    if (!(VARIABLES as readonly string[]).includes(name)) {
      throw new Error(`${where}: variable ${variable} is not known here.`);
    }
  }
  const [other] = /[$#][A-Za-z{!][A-Za-z]*/.exec(template.replace(VARIABLE, '')) ?? [];
  if (other) throw new Error(`${where}: ${other} in a template is not known here.`);
}

/** Replaces the variables by their values, or by `absent`. */
export function render(template: string, variables: Variables, absent: string): string {
  return template.replace(VARIABLE, (_, name: string) => variables[name] ?? absent);
}
