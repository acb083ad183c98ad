import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider';
import { type TriggerName, triggerArn } from '../doctor/read.ts';
import type { Wanted } from './wanted.ts';

export interface Change {
  name: TriggerName;
  before: string | undefined;
  after: string;
  /** Another function is there now. */
  replaces: boolean;
}

/** What differs from what is wanted. A function that is there by another version of the event counts. */
export function changes(config: LambdaConfigType = {}, wanted: Wanted): Change[] {
  return [...wanted].flatMap(([name, after]) => {
    const before = triggerArn(config, name);
    if (before !== after) return [{ name, before, after, replaces: before !== undefined }];
    const outdated = name === 'PreTokenGenerationConfig' && versionOf(config) === 'V1_0';
    if (!outdated) return [];
    return [{ name, before: `${before} (V1_0)`, after: `${after} (V2_0)`, replaces: false }];
  });
}

/** The pool's LambdaConfig with these functions in it; every other trigger stays. */
export function changed(config: LambdaConfigType = {}, wanted: Wanted): LambdaConfigType {
  const result: LambdaConfigType = { ...config };
  for (const [name, arn] of wanted) {
    if (name !== 'PreTokenGenerationConfig') {
      result[name] = arn;
      continue;
    }
    const version = versionOf(config) === 'V3_0' ? 'V3_0' : 'V2_0';
    result.PreTokenGenerationConfig = { LambdaArn: arn, LambdaVersion: version };
    // The old way to set the same trigger: it may only name the same function.
    delete result.PreTokenGeneration;
  }
  return result;
}

/** As far as it says something: Cognito may show the token trigger by its old name as well. */
export function essence(config: LambdaConfigType = {}): LambdaConfigType {
  const { PreTokenGeneration, ...rest } = config;
  const repeated = PreTokenGeneration === rest.PreTokenGenerationConfig?.LambdaArn;
  return { ...rest, ...(PreTokenGeneration === undefined || repeated ? {} : { PreTokenGeneration }) };
}

function versionOf({ PreTokenGenerationConfig }: LambdaConfigType): string {
  return PreTokenGenerationConfig?.LambdaVersion ?? 'V1_0';
}
