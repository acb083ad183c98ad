import { parentPort, workerData } from 'node:worker_threads';
import { slownessOf } from '../clock.ts';
import { loadHandler } from './handler.ts';
import type { FunctionError, Invocation, Report, Start } from './messages.ts';
import { confineNetwork } from './network.ts';
import { shiftDate, stretchTimeouts } from './time.ts';

// Does the work of Lambda's Node.js runtime, in a worker thread: one execution environment of one function.

const { folder, handler: name, clock, hosts }: Start = workerData;
const report = (message: Report) => parentPort?.postMessage(message);

// The runtime ends with these exit codes, after it has reported the error.
process.on('uncaughtException', (error) => {
  report({ kind: 'failed', error: describe(error) });
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  const { errorMessage, trace } = describe(reason);
  report({
    kind: 'failed',
    error: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage, ...(trace ? { trace } : {}) },
  });
  process.exit(128);
});

const realNow = shiftDate(clock);
const slowness = slownessOf(clock);
stretchTimeouts(slowness);
confineNetwork(hosts);

try {
  const handler = await loadHandler(folder, name);
  parentPort?.on('message', async (invocation: Invocation) => {
    try {
      const answer = await handler(JSON.parse(invocation.payload), contextOf(invocation));
      report({ kind: 'answered', payload: JSON.stringify(answer) ?? 'null' });
    } catch (error) {
      report({ kind: 'failed', error: describe(error) });
    }
  });
  report({ kind: 'started' });
} catch (error) {
  report({ kind: 'failed', error: describe(error) });
  process.exit(1);
}

/** The context object ("Using the Lambda context object to retrieve Node.js function information"). */
function contextOf({ requestId, deadline, functionArn }: Invocation) {
  const { env } = process;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    awsRequestId: requestId,
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, Math.floor((deadline - realNow()) / slowness)),
  };
}

function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}
