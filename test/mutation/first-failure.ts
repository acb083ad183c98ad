import { writeSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';

/** File descriptor for the name. Standard output carries the logs of the tests. */
const CHANNEL = 3;

/** A reporter for the test runner that names the first failing test and ends the run. */
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    writeSync(CHANNEL, data.name);
    process.exit(1);
  }
  yield '';
}
