import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider';
import { type TriggerName, triggerArn } from '../doctor/read.ts';
import type { Wanted } from './wanted.ts';

export interface Change {
  name: TriggerName;
  before: string | undefined;
  after: string;
  /** True if the trigger is set to another function now. */
  replaces: boolean;
}

/** Returns the triggers that have to change. The right function with events of V1_0 has to change too. */
export function changes(config: LambdaConfigType = {}, wanted: Wanted): Change[] {
  return [...wanted].flatMap(([name, after]) => {
    const before = triggerArn(config, name);
    if (before !== after) return [{ name, before, after, replaces: before !== undefined }];
    const outdated = name === 'PreTokenGenerationConfig' && versionOf(config) === 'V1_0';
    if (!outdated) return [];
    return [{ name, before: `${before} (V1_0)`, after: `${after} (V2_0)`, replaces: false }];
  });
}

/** Returns the pool's LambdaConfig with these functions set. Every other trigger stays. */
export function changed(config: LambdaConfigType = {}, wanted: Wanted): LambdaConfigType {
  const result: LambdaConfigType = { ...config };
  for (const [name, arn] of wanted) {
    if (name !== 'PreTokenGenerationConfig') {
      result[name] = arn;
      continue;
    }
    const version = versionOf(config) === 'V3_0' ? 'V3_0' : 'V2_0';
    result.PreTokenGenerationConfig = { LambdaArn: arn, LambdaVersion: version };
    // The older field for the same trigger may only name the same function.
    delete result.PreTokenGeneration;
  }
  return result;
}

/**
 * Returns the config without what it repeats: Cognito may return the token trigger under its old name too.
 */
export function essence(config: LambdaConfigType = {}): LambdaConfigType {
  const { PreTokenGeneration, ...rest } = config;
  const repeated = PreTokenGeneration === rest.PreTokenGenerationConfig?.LambdaArn;
  return { ...rest, ...(PreTokenGeneration === undefined || repeated ? {} : { PreTokenGeneration }) };
}

function versionOf({ PreTokenGenerationConfig }: LambdaConfigType): string {
  return PreTokenGenerationConfig?.LambdaVersion ?? 'V1_0';
}
