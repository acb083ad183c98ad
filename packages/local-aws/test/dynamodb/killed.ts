// Writes until it is killed, printing the number of each write that was acknowledged.
import { createStage } from '../../testing/stage.ts';
import { runDynamoDb } from './running.ts';

const stage = createStage();
stage.remove();
const { put } = await runDynamoDb({ stage, folder: process.argv[2] ?? '' });
for (let count = 1; ; count++) {
  await put({ pk: { S: String(count) } });
  console.log(count);
}
