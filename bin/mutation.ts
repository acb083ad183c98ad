/**
 * `npm run test:mutation`: breaks the code in one named way after the other, and tells which test notices. Beside
 * `npm test`, on demand: it takes minutes.
 */
import { parseArgs } from 'node:util';
import type { Mutation } from '../test/mutation/mutation.ts';
import { mutations } from '../test/mutation/mutations.ts';
import { batchesFor, batchesOf, type Outcome, play } from '../test/mutation/play.ts';

const USAGE = `npm run test:mutation -- [PATTERN]

Plays each mutation of test/mutation against the tests that can see it, and says which test fails by it. PATTERN: only those
whose file or promise holds it. A mutant that hangs is killed, and counts so. Exits with 1 if one survives
that is not explained, one that is said to survive is killed, or the machine is too busy to tell.`;

/** Mutants at a time. */
const AT_ONCE = 2;

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const pattern = (positionals[0] ?? '').toLowerCase();
const chosen = mutations.filter(({ file, promise }) => `${file} ${promise}`.toLowerCase().includes(pattern));
if (chosen.length === 0) fail(`No mutation's file or promise holds "${positionals[0]}".`);

// Without a mutation everything passes, or nothing could be told from a failure.
const layers = ['core/', 'adapters/'].filter((layer) => chosen.some(({ file }) => file.startsWith(layer)));
const without = await play(layers.flatMap((layer) => batchesOf(layer)));
if (!('survived' in without)) fail(`Without any mutation this fails: ${Object.values(without)}`);
console.log('✔ without a mutation every test passes');

const counted = { killed: 0, survived: 0, undecided: 0 };
const queue = chosen.values();
await Promise.all(Array.from({ length: AT_ONCE }, playOn));
const undecided = counted.undecided > 0 ? `, ${counted.undecided} undecided` : '';
console.log(`\n${counted.killed} killed, ${counted.survived} survived${undecided}`);

async function playOn(): Promise<void> {
  for (const mutation of queue) tell(mutation, await play(batchesFor(mutation.file), mutation));
}

function tell({ file, promise, survives }: Mutation, outcome: Outcome): void {
  const said = survives === undefined ? '' : `, as said: ${survives}`;
  let [asSaid, sentence] = [survives !== undefined, `SURVIVED${said}`];
  if ('survived' in outcome) {
    counted.survived++;
  } else if ('killedBy' in outcome) {
    counted.killed++;
    asSaid = survives === undefined;
    sentence = `killed by: ${outcome.killedBy}${asSaid ? '' : ', and was said to survive'}`;
  } else {
    counted.undecided++;
    asSaid = false;
    sentence = `UNDECIDED: without it this fails as well, so the machine is too busy: ${outcome.undecided}`;
  }
  if (!asSaid) process.exitCode = 1;
  console.log(`${asSaid ? '✔' : '✖'} ${file}: ${promise}\n    ${sentence}`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', default: false } },
    });
  } catch {
    return fail(USAGE);
  }
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
