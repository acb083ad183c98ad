import { writeSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';

/** Where the name goes: what tests log goes to standard output. */
const CHANNEL = 3;

/** A reporter for the test runner: names the first test that fails, and ends the run there. */
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    writeSync(CHANNEL, data.name);
    process.exit(1);
  }
  yield '';
}
