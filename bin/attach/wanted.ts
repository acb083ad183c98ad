import { readFileSync } from 'node:fs';
import { needed, type TriggerName } from '../doctor/read.ts';

/** The function for each trigger. */
export type Wanted = Map<TriggerName, string>;

const FUNCTION_ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?$/;

/** The flag for each trigger's function. */
export const flagOf: Record<TriggerName, string> = {
  DefineAuthChallenge: 'define',
  CreateAuthChallenge: 'create',
  VerifyAuthChallengeResponse: 'verify',
  PreTokenGenerationConfig: 'pre-token-generation',
  PostConfirmation: 'post-confirmation',
};

/**
 * Returns the function for each trigger, from its flag or from the file of `cdk deploy --outputs-file`.
 *
 * @param given.stack the stack whose outputs count; needed only if several stacks in the file have such
 * outputs
 * @throws Error if an ARN is not a function's, the file is unusable, or a trigger has no function
 */
export function wantedTriggers(given: {
  flags: Record<string, string | undefined>;
  outputs: string | undefined;
  stack: string | undefined;
}): Wanted {
  const outputs = given.outputs === undefined ? {} : readOutputs(given.outputs, given.stack);
  const wanted: Wanted = new Map();
  for (const name of needed.keys()) {
    const flag = flagOf[name];
    const arn = given.flags[flag] ?? outputs[`Trigger${name}`];
    if (arn === undefined) {
      throw new Error(
        `There is no function for ${name}: pass --${flag} ARN, or --outputs FILE with Trigger${name} in it.`,
      );
    }
    if (!FUNCTION_ARN.test(arn)) throw new Error(`${name}: "${arn}" is not the ARN of a function.`);
    wanted.set(name, arn);
  }
  return wanted;
}

function readOutputs(file: string, stack: string | undefined): Record<string, string> {
  const stacks = parse(file);
  if (stack !== undefined) {
    const outputs = stacks[stack];
    if (!outputs) throw new Error(`${file} has no outputs of the stack ${stack}.`);
    return outputs;
  }
  const fitting = Object.keys(stacks).filter((name) => 'TriggerDefineAuthChallenge' in (stacks[name] ?? {}));
  const [only] = fitting;
  if (only === undefined || fitting.length > 1) {
    const which = only === undefined ? 'No stack' : `More than one stack (${fitting.join(', ')})`;
    throw new Error(`${which} in ${file} has outputs of triggers: name the stack with --stack.`);
  }
  return stacks[only] ?? {};
}

function parse(file: string): Record<string, Record<string, string>> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === undefined ? `${file} is not JSON.` : `${file} cannot be read: ${code}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Error(`${file} is not what "cdk deploy --outputs-file" writes.`);
  }
  return content as Record<string, Record<string, string>>;
}
