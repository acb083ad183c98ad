import { readAssembly, type Stack, type TemplateResource } from './assembly.ts';
import { type Identifiers, openIdentifiers } from './identifiers.ts';
import { conditionHolds, resolve, type Scope } from './intrinsics.ts';
import { KINDS, type Kind, type Subject } from './resources.ts';

/** One resource of the deployment, with every intrinsic in its properties resolved. */
export interface Resource {
  stack: string;
  logicalId: string;
  type: string;
  /** The construct's path, as in `CountersignApi/verify/Resource`. */
  path: string;
  /** The physical id: what Ref gives. */
  ref: string;
  readonly properties: Record<string, unknown>;
  attribute(name: string): string;
}

/** The resources of all stacks, as if they had been created here. */
export interface Deployment {
  region: string;
  account: string;
  /** The names AWS makes up, kept over restarts. */
  identifiers: Identifiers;
  /** All resources of one type, in the order of the templates. */
  resources(type: string): Resource[];
  /** A stack's output by its name. */
  output(stack: string, name: string): unknown;
  /** The folder with a function's code. @throws Error if it is no asset of this assembly. */
  codeOf(lambdaFunction: Resource): string;
}

/**
 * Reads an assembly and gives every resource its physical id. The ids are the same at every start.
 *
 * @throws Error that names the resource and what about it is not known: a type, an attribute, an intrinsic function,
 * a reference to nothing, a cycle.
 */
export function readDeployment(options: {
  assembly: string;
  /** Keeps the physical ids; exists. */
  folder: string;
  region: string;
  account: string;
}): Deployment {
  const { region, account } = options;
  const identifiers = openIdentifiers(options.folder);
  const stacks = readAssembly(options.assembly);
  const resources: Resource[] = [];
  const byId = new Map<string, Resource>();
  const underway = new Set<string>();

  for (const stack of stacks) {
    for (const [logicalId, raw] of Object.entries(stack.template.Resources ?? {})) {
      if (raw.Condition && !conditionHolds(raw.Condition, scopeOf(stack))) continue;
      const resource = describe(stack, logicalId, raw);
      resources.push(resource);
      byId.set(`${stack.name}/${logicalId}`, resource);
    }
  }
  // Resolves everything now, so that a template that cannot be read is refused as a whole.
  for (const resource of resources) void [resource.ref, resource.properties];

  function scopeOf(stack: Stack): Scope {
    const { template } = stack;
    const pseudo: Record<string, unknown> = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack.name,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stack.name}/local`,
      'AWS::NotificationARNs': [],
    };
    const parameter = (name: string) => {
      const declared = template.Parameters?.[name];
      if (declared?.Type.startsWith('AWS::SSM::')) {
        throw new Error(
          `Template of ${stack.name}: parameter ${name} is a ${declared.Type}, not known here.`,
        );
      }
      return declared?.Default;
    };
    return {
      stack: stack.name,
      ref: (name) => pseudo[name] ?? byId.get(`${stack.name}/${name}`)?.ref ?? parameter(name),
      attribute(logicalId, name) {
        const resource = byId.get(`${stack.name}/${logicalId}`);
        if (!resource) {
          throw new Error(`Template of ${stack.name}: Fn::GetAtt of ${logicalId}, which is no resource.`);
        }
        return resource.attribute(name);
      },
      importValue(name) {
        for (const exporter of stacks) {
          for (const output of Object.values(exporter.template.Outputs ?? {})) {
            if (output.Export && resolve(output.Export.Name, scopeOf(exporter)) === name) {
              return resolve(output.Value, scopeOf(exporter));
            }
          }
        }
        throw new Error(`Template of ${stack.name}: imports ${name}, which no stack exports.`);
      },
      stackOutput,
      condition: (name) => template.Conditions?.[name],
      mapping(map, key, name) {
        const value = template.Mappings?.[map]?.[key]?.[name];
        if (value === undefined) {
          throw new Error(`Template of ${stack.name}: no ${map}/${key}/${name} in the mappings.`);
        }
        return value;
      },
    };
  }

  function stackOutput(stackName: string, name: string): unknown {
    const stack = stacks.find((candidate) => candidate.name === stackName);
    const output = stack?.template.Outputs?.[name];
    if (!stack || !output) throw new Error(`Stack ${stackName} has no output ${name}.`);
    return resolve(output.Value, scopeOf(stack));
  }

  function describe(stack: Stack, logicalId: string, raw: TemplateResource): Resource {
    const kind: Kind | undefined = KINDS[raw.Type];
    if (!kind) {
      throw new Error(`Template of ${stack.name}: ${logicalId} is a ${raw.Type}, a type not known here.`);
    }
    const name = `${stack.name}/${logicalId}`;
    const subject: Subject = {
      stack: stack.name,
      logicalId,
      region,
      account,
      property: (property) =>
        guarded(`${name}.${property}`, () => resolve(raw.Properties?.[property], scopeOf(stack))),
      identifier: (make) => identifiers.get(name, make),
    };
    let properties: Record<string, unknown> | undefined;
    return {
      stack: stack.name,
      logicalId,
      type: raw.Type,
      path: stack.paths.get(logicalId) ?? name,
      get ref() {
        return kind.ref(subject);
      },
      get properties() {
        properties ??= resolve(raw.Properties ?? {}, scopeOf(stack)) as Record<string, unknown>;
        return properties;
      },
      attribute(attribute) {
        const value = kind.attributes?.[attribute];
        if (!value) {
          throw new Error(
            `Template of ${stack.name}: attribute ${attribute} of ${logicalId} (${raw.Type}) is not known here.`,
          );
        }
        return value(subject);
      },
    };
  }

  function guarded<T>(name: string, work: () => T): T {
    if (underway.has(name)) throw new Error(`${name} refers to itself.`);
    underway.add(name);
    try {
      return work();
    } finally {
      underway.delete(name);
    }
  }

  return {
    region,
    account,
    identifiers,
    resources: (type) => resources.filter((resource) => resource.type === type),
    output: stackOutput,
    codeOf(lambdaFunction) {
      const stack = stacks.find(({ name }) => name === lambdaFunction.stack);
      const { S3Key } = (lambdaFunction.properties['Code'] ?? {}) as { S3Key?: string };
      const folder = stack?.assets.get(String(S3Key).replace(/\.zip$/, ''));
      if (!folder) throw new Error(`The code of ${lambdaFunction.logicalId} is no asset of this assembly.`);
      return folder;
    },
  };
}
