import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildApp } from '../../lib/app.ts';
import { bundleFunctions } from '../../lib/bundle.ts';

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DependsOn?: string[];
  DeletionPolicy?: string;
}

export interface Template {
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown; Export?: { Name: string } }>;
}

const root = resolve(import.meta.dirname, '../..');
const bundles = bundleFunctions();

/** Returns the context of cdk.json with another configuration in it. */
export function contextWith(countersign: unknown): Record<string, unknown> {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  return { ...context, countersign };
}

/**
 * Synthesizes the three templates as they would be deployed. Skips CloudFormation's own rules, which take
 * two seconds: app.test.ts checks them.
 */
export function synthesize(countersign: unknown = {}) {
  process.env['CDK_VALIDATION'] = 'false';
  const outdir = mkdtempSync(join(tmpdir(), 'countersign-synth-'));
  const assembly = buildApp({ context: contextWith(countersign), outdir }, bundles).synth();
  const template = (end: string): Template => {
    const stack = assembly.stacks.find(({ stackName }) => stackName.endsWith(end));
    if (!stack) throw new Error(`There is no stack …${end}.`);
    return stack.template;
  };
  const templates = { data: template('Data'), identity: template('Identity'), api: template('Api') };
  rmSync(outdir, { recursive: true });
  return { assembly, ...templates };
}

/** Returns the resources of one type, by logical id. */
export function ofType({ Resources }: Template, type: string): [string, Resource][] {
  return Object.entries(Resources).filter(([, resource]) => resource.Type === type);
}

/** Returns the logical id of the only construct of a name: that name and eight digits from the CDK. */
export function idOf(template: Template, type: string, name: string): string {
  const found = ofType(template, type).filter(
    ([id]) => id === name || new RegExp(`^${name}[0-9A-F]{8}$`).test(id),
  );
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`There are ${found.length} of ${type} called ${name}.`);
  return first[0];
}

/** Returns the only resource of a type and name. */
export function one(template: Template, type: string, name: string): Resource {
  const resource = template.Resources[idOf(template, type, name)];
  if (!resource) throw new Error(`There is no ${name}.`);
  return resource;
}

/**
 * Resolves the intrinsics in a value: `<Id>` for a reference, `<Id.Attribute>` for an attribute, also through
 * exports. A pseudo parameter becomes `<AWS::Region>`.
 */
export function plain(value: unknown, exporters: readonly Template[] = []): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, exporters));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, inner] = ['', undefined]] = entries;
  if (entries.length === 1) {
    if (key === 'Ref') return `<${inner}>`;
    if (key === 'Fn::GetAtt') return `<${inner.join('.')}>`;
    if (key === 'Fn::Join') return inner[1].map((part: unknown) => plain(part, exporters)).join(inner[0]);
    if (key === 'Fn::ImportValue') {
      for (const { Outputs } of exporters) {
        const output = Object.values(Outputs).find(({ Export }) => Export?.Name === inner);
        if (output) return plain(output.Value, exporters);
      }
      throw new Error(`No template exports ${inner}.`);
    }
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, plain(item, exporters)]));
}
