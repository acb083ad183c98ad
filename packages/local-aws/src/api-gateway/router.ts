import type { Api, Method } from './template.ts';

export interface Match {
  method: Method;
  parameters: Record<string, string>;
}

/**
 * Returns a function that finds the method for a request. It compares segments as sent, undecoded. It prefers a literal
 * segment to a parameter, and ignores a slash at the end.
 */
export function createRouter(api: Api): (httpMethod: string, path: string) => Match | undefined {
  const routes = api.methods
    .map((method) => ({ method, segments: method.resourcePath.split('/').slice(1) }))
    .toSorted((a, b) => specificity(b.segments) - specificity(a.segments));

  return (httpMethod, path) => {
    const given = path
      .replace(/(?<=.)\/$/, '')
      .split('/')
      .slice(1);
    const matching = routes.filter(({ segments }) => matches(segments, given));
    const [best] = matching;
    // The resource is found first, by its path alone; then the method on it.
    const here = matching.filter(({ method }) => method.resourcePath === best?.method.resourcePath);
    const route =
      here.find(({ method }) => method.httpMethod === httpMethod) ??
      here.find(({ method }) => method.httpMethod === 'ANY');
    if (!route) return undefined;
    const parameters = route.segments.flatMap((segment, at): [string, string][] =>
      isParameter(segment) ? [[segment.slice(1, -1), given[at] ?? '']] : [],
    );
    return { method: route.method, parameters: Object.fromEntries(parameters) };
  };
}

const isParameter = (segment: string) => segment.startsWith('{');

function matches(segments: string[], given: string[]): boolean {
  return (
    segments.length === given.length &&
    segments.every((segment, at) => (isParameter(segment) ? given[at] !== '' : segment === given[at]))
  );
}

/** Earlier literal segments weigh more. */
function specificity(segments: string[]): number {
  return segments.reduce((sum, segment, at) => sum + (isParameter(segment) ? 0 : 2 ** (32 - at)), 0);
}
