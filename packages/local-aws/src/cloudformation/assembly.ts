import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One synthesized stack, as the CDK wrote it. */
export interface Stack {
  name: string;
  template: Template;
  /** Logical id → construct path, as in `CountersignApi/verify/Resource`. */
  paths: ReadonlyMap<string, string>;
  /** Asset hash → folder. */
  assets: ReadonlyMap<string, string>;
}

export interface Template {
  Resources?: Record<string, TemplateResource>;
  Outputs?: Record<string, { Value: unknown; Condition?: string; Export?: { Name: unknown } }>;
  Parameters?: Record<string, { Type: string; Default?: unknown }>;
  Conditions?: Record<string, unknown>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
}

export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  Condition?: string;
}

interface Artifact {
  type: string;
  properties?: { templateFile?: string; stackName?: string; file?: string };
  additionalMetadataFile?: string;
  metadata?: ArtifactMetadata;
}
type ArtifactMetadata = Record<string, { type: string; data?: unknown }[]>;

/**
 * Reads a cloud assembly: what `cdk synth` leaves in its output folder.
 *
 * @throws Error if the folder holds none, or one with artifacts that cannot be run here (nested assemblies, images).
 */
export function readAssembly(folder: string): Stack[] {
  const read = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const { artifacts } = read<{ artifacts: Record<string, Artifact> }>('manifest.json');
  const assets = new Map<string, string>();
  const stacks: Stack[] = [];

  for (const [id, artifact] of Object.entries(artifacts)) {
    if (artifact.type === 'cdk:asset-manifest') {
      for (const [hash, path] of assetFolders(read(artifact.properties?.file ?? ''))) {
        assets.set(hash, join(folder, path));
      }
    } else if (artifact.type === 'aws:cloudformation:stack') {
      const metadata = artifact.additionalMetadataFile
        ? read<ArtifactMetadata>(artifact.additionalMetadataFile)
        : (artifact.metadata ?? {});
      stacks.push({
        name: artifact.properties?.stackName ?? id,
        template: read(artifact.properties?.templateFile ?? ''),
        paths: constructPaths(metadata),
        assets,
      });
    } else if (artifact.type !== 'cdk:tree' && artifact.type !== 'cdk:feature-flag-report') {
      throw new Error(`The assembly's ${id} is a ${artifact.type}, which cannot be run here.`);
    }
  }
  return stacks;
}

function assetFolders(manifest: {
  files: Record<string, { source: { path?: string; packaging?: string } }>;
  dockerImages?: Record<string, unknown>;
}): [string, string][] {
  const [image] = Object.keys(manifest.dockerImages ?? {});
  if (image) throw new Error(`The assembly holds a container image (${image}), which cannot be run here.`);
  return Object.entries(manifest.files).flatMap(([hash, { source }]): [string, string][] =>
    source.packaging === 'zip' && source.path ? [[hash, source.path]] : [],
  );
}

function constructPaths(metadata: ArtifactMetadata): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [path, entries] of Object.entries(metadata)) {
    for (const { type, data } of entries) {
      if (type === 'aws:cdk:logicalId' && typeof data === 'string') paths.set(data, path.replace(/^\//, ''));
    }
  }
  return paths;
}
