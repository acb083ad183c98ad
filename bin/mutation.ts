/**
 * `npm run test:mutation`: breaks the code in one named way after the other, and tells which test notices. Beside
 * `npm test`, on demand: it takes minutes.
 */
import type { Mutation } from '../test/mutation/mutation.ts';
import { mutations } from '../test/mutation/mutations.ts';
import { batchesFor, batchesOf, type Outcome, play } from '../test/mutation/play.ts';
import { runProgram } from './program.ts';

const USAGE = `npm run test:mutation -- [PATTERN]

Plays each mutation of test/mutation against the tests that can see it, and says which test fails by it. PATTERN: only those
whose file or promise holds it. A mutant that hangs is killed, and counts so. Exits with 1 if one survives
that is not explained, one that is said to survive is killed, or the machine is too busy to tell.
`;

/** Mutants at a time. */
const AT_ONCE = 2;

const counted = { killed: 0, survived: 0, undecided: 0 };

const program = {
  name: 'mutation',
  command: 'npm run test:mutation',
  usage: USAGE,
  options: {},
  allowPositionals: true,
} as const;

await runProgram(program, async (_flags, [pattern = '']) => {
  const sought = pattern.toLowerCase();
  const chosen = mutations.filter(({ file, promise }) => `${file} ${promise}`.toLowerCase().includes(sought));
  if (chosen.length === 0) throw new Error(`No mutation's file or promise holds "${pattern}".`);

  // Without a mutation everything passes, or nothing could be told from a failure.
  const layers = new Set(chosen.map(({ file }) => (file.startsWith('core/') ? 'core/' : 'adapters/')));
  const without = await play([...layers].flatMap((layer) => batchesOf(layer)));
  if (!('survived' in without)) {
    throw new Error(`Without any mutation this fails: ${Object.values(without)}`);
  }
  console.log('✔ without a mutation every test passes');

  const queue = chosen.values();
  const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, () => playOn(queue)));
  const undecided = counted.undecided > 0 ? `, ${counted.undecided} undecided` : '';
  console.log(`\n${counted.killed} killed, ${counted.survived} survived${undecided}`);
  return outcomes.every((asSaid) => asSaid) ? 0 : 1;
});

/** Returns whether every outcome was as the mutation says. */
async function playOn(queue: Iterable<Mutation>): Promise<boolean> {
  let asSaid = true;
  for (const mutation of queue) {
    const outcome = await play(batchesFor(mutation.file), mutation);
    asSaid = tell(mutation, outcome) && asSaid;
  }
  return asSaid;
}

function tell({ file, promise, survives }: Mutation, outcome: Outcome): boolean {
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
  console.log(`${asSaid ? '✔' : '✖'} ${file}: ${promise}\n    ${sentence}`);
  return asSaid;
}
