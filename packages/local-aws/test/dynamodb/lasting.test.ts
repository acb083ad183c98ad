// How long what was written lasts: until it expires, over a restart, and over kill -9.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { createStage } from '../../testing/stage.ts';
import { runDynamoDb } from './running.ts';

test('expired items stay readable for a while and then go', async (t) => {
  const stage = createStage();
  const { put, get, close } = await runDynamoDb({ stage, attempts: 2 });
  t.after(() => close().then(stage.remove));
  const expires = { N: String(stage.clock.seconds() - 1) };
  await put({ pk: { S: 'old' }, expires });
  await put({ pk: { S: 'kept' }, expires: { S: 'never' } });
  assert.ok(await get('old'));
  stage.clock.advance(300);
  assert.ok(await get('old'));
  stage.clock.advance(400);
  assert.equal(await get('old'), undefined);
  assert.ok(await get('kept'));
});

test('what was written is there after reopening, and the folder takes one server at a time', async (t) => {
  const stage = createStage();
  const first = await runDynamoDb({ stage });
  await first.put({ pk: { S: 'durable' } });
  await assert.rejects(runDynamoDb({ stage }), /in use by another process/);
  await first.close();
  const second = await runDynamoDb({ stage });
  t.after(() => second.close().then(stage.remove));
  assert.ok(await second.get('durable'));
});

test('an acknowledged write outlives kill -9', async (t) => {
  const stage = createStage();
  const program = fileURLToPath(new URL('./killed.ts', import.meta.url));
  const child = spawn(process.execPath, [program, stage.folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acknowledged = 0;
  child.stdout.on('data', (chunk) => {
    acknowledged = Number(String(chunk).trim().split('\n').at(-1));
    if (acknowledged >= 50) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');

  const { client, close } = await runDynamoDb({ stage });
  t.after(() => close().then(stage.remove));
  const { Count = 0 } = await client.send(new ScanCommand({ TableName: 'records', Select: 'COUNT' }));
  assert.ok(Count >= acknowledged, `${Count} of ${acknowledged}`);
});
