import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import './node-version.mjs';

/** The frame of every program in this folder. */
export interface Program<O extends ParseArgsOptionsConfig> {
  /** Begins the line that tells an error. */
  name: string;
  /** What somebody types to run it, as in `npm run doctor`. */
  command: string;
  /** What `--help` prints. */
  usage: string;
  options: O;
  /** @default those it was started with */
  args?: string[];
  /** Whether it takes words that are no flags. @default false */
  allowPositionals?: boolean;
  /** The exit status of an error. @default 1 for every error */
  statusOf?: (error: unknown) => number;
}

type Flags<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: boolean; args: string[] }>
>['values'];

/** A wrong use of the program: its line ends by naming `--help`. */
class Misuse extends Error {}

/**
 * Runs a program: reads its flags, prints its usage if asked, and tells an error in one line.
 *
 * @param main returns the exit status; 0 if it returns none
 */
export async function runProgram<const O extends ParseArgsOptionsConfig>(
  program: Program<O>,
  main: (flags: Flags<O>, positionals: string[]) => Promise<number | undefined> | number | undefined,
): Promise<void> {
  const { name, command, usage, options, args = process.argv.slice(2), statusOf = () => 1 } = program;
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  try {
    const { values, positionals } = parsed({
      args,
      options,
      allowPositionals: program.allowPositionals ?? false,
    });
    process.exitCode = (await main(values, positionals)) ?? 0;
  } catch (error) {
    const help = error instanceof Misuse ? `. See ${command} -- --help` : '';
    console.error(`${name}: ${oneLine(error)}${help}`);
    // At once: a server that is up would keep the program running.
    process.exit(statusOf(error));
  }
}

/** Returns a flag that must be there. @throws Error that names it, if it is not */
export function required(flags: Record<string, unknown>, flag: string): string {
  const value = flags[flag];
  if (typeof value !== 'string' || value === '') throw new Misuse(`--${flag} is missing`);
  return value;
}

/** Says what went wrong, in one line. */
export function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const said = error.message || code || 'an unknown fault';
  const name = ['Error', 'AggregateError'].includes(error.name) ? '' : `${error.name}: `;
  return `${name}${said}`.replace(/\s*\n\s*/g, ' ');
}

/** `parseArgs`, whose errors say which flag and why, and then a sentence or two more. */
const parsed: typeof parseArgs = (config) => {
  try {
    return parseArgs(config);
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\. |\n/);
    throw new Misuse(sentence.replace(/\.$/, ''));
  }
};
