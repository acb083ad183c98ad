/** Reads values of a CloudFormation template, where numbers and booleans may also be written as strings. */

export type Properties = Record<string, unknown>;

/** A nested object; empty where it is absent. */
export function part(properties: Properties, name: string): Properties {
  const value = properties[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Properties) : {};
}

/** A list of strings; undefined where it is absent. */
export function names(properties: Properties, name: string): string[] | undefined {
  const value = properties[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** A boolean, or the default of the resource. */
export function truth(properties: Properties, name: string, otherwise: boolean): boolean {
  const value = properties[name];
  return value === undefined ? otherwise : value === true || value === 'true';
}

/** A number, or the default of the resource. */
export function count(properties: Properties, name: string, otherwise: number): number {
  const value = properties[name];
  return value === undefined ? otherwise : Number(value);
}

/** A string; undefined where it is absent. */
export function text(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return value === undefined ? undefined : String(value);
}
