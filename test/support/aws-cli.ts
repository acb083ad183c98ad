import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after } from 'node:test';
import { parseArgs } from 'node:util';
import {
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdated,
} from '@aws-sdk/client-lambda';
import { readDeployment } from '@countersign/local-aws/cloudformation';
import { readAssembly } from '@countersign/local-aws/cloudformation/assembly';
import type { Service } from '../../local/service.ts';

type Options = Record<string, string | undefined>;

interface Command {
  /** Its options, in addition to those that every command has. */
  options: string[];
  run(options: Options, outfile: string | undefined): Promise<{ file?: string; output?: unknown }>;
}

const GLOBAL = ['query', 'output', 'cli-binary-format', 'cli-read-timeout'];

/** Passes its arguments to this process, so that it starts at once. */
const PROGRAM = (port: number) => `#!${process.execPath}
const request = require('node:http').request({ port: ${port}, method: 'POST' }, (answer) => {
  answer.pipe(answer.statusCode === 200 ? process.stdout : process.stderr);
  if (answer.statusCode !== 200) process.exitCode = 254;
});
request.end(JSON.stringify(process.argv.slice(2)));
`;

/**
 * Creates a folder with a stand-in for the AWS CLI (version 2). It knows the commands that our documents use,
 * with the options that the CLI documents for them. It calls the service's Lambda through the SDK, and reads
 * CloudFormation's answers from the templates.
 */
export async function awsCli(service: Service & { folder: string; assembly: string }): Promise<string> {
  const { region } = service.local.operator;
  const clientOf = ({ 'cli-read-timeout': seconds = '60' }: Options) =>
    new LambdaClient({
      endpoint: service.local.lambda.endpoint,
      region,
      credentials: service.local.operator,
      systemClockOffset: service.clock.now() - Date.now(),
      // Both the CLI and the SDK treat zero as no limit.
      requestHandler: { requestTimeout: Number(seconds) * 1000, throwOnRequestTimeout: true },
    });
  const stacks = readAssembly(service.assembly);
  const deployment = readDeployment({
    assembly: service.assembly,
    region,
    account: service.operator.arn.split(':')[4] ?? '',
    folder: service.folder,
  });
  const stackOf = ({ 'stack-name': name }: Options) => {
    const stack = stacks.find((one) => one.name === name);
    if (!stack) throw new Error(`Stack with id ${name} does not exist`);
    return stack;
  };

  const commands: Record<string, Command> = {
    'cloudformation describe-stacks': {
      options: ['stack-name'],
      async run(options) {
        const { name, template } = stackOf(options);
        const outputs = Object.keys(template.Outputs ?? {}).map((OutputKey) => ({
          OutputKey,
          OutputValue: deployment.output(name, OutputKey),
        }));
        return { output: { Stacks: [{ StackName: name, Outputs: outputs }] } };
      },
    },
    'cloudformation list-stack-resources': {
      options: ['stack-name'],
      async run(options) {
        const { name, template } = stackOf(options);
        const types = new Set(Object.values(template.Resources ?? {}).map(({ Type }) => Type));
        const own = [...types]
          .flatMap((type) => deployment.resources(type))
          .filter(({ stack }) => stack === name);
        const summaries = own.map(({ type, ref }) => ({ ResourceType: type, PhysicalResourceId: ref }));
        return { output: { StackResourceSummaries: summaries } };
      },
    },
    'lambda invoke': {
      options: ['function-name', 'payload'],
      async run(options, file) {
        if (!file) throw new Error('the following arguments are required: outfile');
        const { 'function-name': FunctionName, payload } = options;
        const {
          Payload: answer,
          $metadata: _,
          ...output
        } = await clientOf(options).send(
          new InvokeCommand({
            FunctionName,
            ...(payload !== undefined && { Payload: blob(payload, options) }),
          }),
        );
        const text = answer?.transformToString() ?? '';
        if (file !== '/dev/stdout') writeFileSync(file, text);
        return { output, ...(file === '/dev/stdout' && { file: text }) };
      },
    },
    'lambda update-function-configuration': {
      options: ['function-name', 'description'],
      async run(options) {
        const { 'function-name': FunctionName, description: Description } = options;
        const command = new UpdateFunctionConfigurationCommand({ FunctionName, Description });
        const { $metadata: _, ...output } = await clientOf(options).send(command);
        return { output };
      },
    },
    'lambda wait function-updated': {
      options: ['function-name'],
      async run(options) {
        const { 'function-name': FunctionName } = options;
        await waitUntilFunctionUpdated({ client: clientOf(options), maxWaitTime: 300 }, { FunctionName });
        return {};
      },
    },
  };

  async function answer(parameters: string[]): Promise<string> {
    const name = Object.keys(commands).find((known) => parameters.join(' ').startsWith(`${known} `)) ?? '';
    const command = commands[name];
    if (!command) throw new Error(`argument command: Invalid choice: ${parameters.join(' ')}`);
    const { values, positionals } = parseArgs({
      args: parameters.slice(name.split(' ').length),
      options: Object.fromEntries(
        [...GLOBAL, ...command.options].map((option) => [option, { type: 'string' as const }]),
      ),
      allowPositionals: true,
    });
    const options = values as Options;
    const { file = '', output } = await command.run(options, positionals[0]);
    if (output === undefined) return file;
    const shown = options['query'] === undefined ? output : search(options['query'], output);
    return `${file}${options['output'] === 'text' ? textOf(shown) : JSON.stringify(shown, undefined, 4)}\n`;
  }

  const server = createServer(async (request, response) => {
    try {
      response.end(await answer((await json(request)) as string[]));
    } catch (error) {
      response.statusCode = 400;
      response.end(`${error instanceof Error ? error.message : error}\n`);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  after(() => server.close());
  const folder = join(service.folder, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'aws'), PROGRAM((server.address() as AddressInfo).port));
  chmodSync(join(folder, 'aws'), 0o755);
  return folder;
}

/** Returns the bytes of a binary parameter, which is base64 unless `--cli-binary-format` says otherwise. */
function blob(value: string, { 'cli-binary-format': format = 'base64' }: Options): Buffer {
  if (format === 'raw-in-base64-out') return Buffer.from(value);
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64') !== value) throw new Error(`Invalid base64: "${value}"`);
  return bytes;
}

/** Evaluates the JMESPath that our documents use: names, `[0]`, and `[?Name=='value']`. */
function search(query: string, value: unknown): unknown {
  const [step] = /^\.?\w+|^\[\d+\]|^\[\?\w+=='[^']*'\]/.exec(query) ?? [];
  if (step === undefined) {
    if (query !== '') throw new Error(`Bad value for --query: ${query}`);
    return value;
  }
  const rest = query.slice(step.length);
  const [, name, wanted] = /^\[\?(\w+)=='(.*)'\]$/.exec(step) ?? [];
  if (name !== undefined) {
    const found = (value as Record<string, unknown>[]).filter((one) => one[name] === wanted);
    return found.map((one) => search(rest, one));
  }
  return search(rest, (value as Record<string, unknown> | undefined)?.[step.replace(/[.[\]]/g, '')]);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('\t');
  return value === undefined || value === null ? 'None' : String(value);
}
