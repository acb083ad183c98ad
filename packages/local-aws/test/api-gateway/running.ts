import { mkdirSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { startApiGateway } from '../../src/api-gateway/server.ts';
import { readApi } from '../../src/api-gateway/template.ts';
import { AwsError } from '../../src/aws-error.ts';
import { createClock } from '../../src/clock.ts';
import { readDeployment } from '../../src/cloudformation/deployment.ts';
import type { Principal } from '../../src/iam/policy.ts';
import { startRuntime } from '../../src/lambda/runtime.ts';
import { scratchFolder, writeAssembly } from '../../testing/assembly.ts';
import { functionArn, resources } from './resources.ts';

/** Answers what the body asks for, the event itself by default. */
const source = `exports.handler = async (event) => {
  if (!event.body || event.isBase64Encoded || !event.body.startsWith('{"answer')) return { statusCode: 200, body: JSON.stringify(event) };
  const { answer, fail, hang } = JSON.parse(event.body);
  if (answer === 'fail') throw new Error('secret detail');
  if (answer === 'hang') return new Promise(() => {});
  return answer;
};`;

export const admin: Principal = {
  arn: 'arn:aws:iam::000000000000:user/admin',
  accessKeyId: 'AKIAADMIN',
  secretAccessKey: 'secret',
  policies: [],
};

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A gateway before one function, by the template of resources.ts. */
export async function runGateway() {
  const root = scratchFolder('gateway');
  const clock = createClock();
  const accessLog: string[] = [];
  const identifiers = join(root, 'identifiers');
  mkdirSync(identifiers);

  /** The API of the template with these resources in the place of its own. */
  const read = (changed: Record<string, object> = {}) =>
    readApi(
      readDeployment({
        assembly: writeAssembly(join(root, 'assembly'), {
          Stack: { Resources: { ...resources, ...changed } },
        }),
        region: 'us-east-1',
        account: '000000000000',
        folder: identifiers,
      }),
    );
  const api = read();
  writeAssembly(join(root, 'code'), {}, { echo: source });
  const lambda = startRuntime({
    functions: [
      {
        name: 'echo',
        arn: functionArn,
        folder: join(root, 'code/asset.echo'),
        handler: 'index.handler',
        timeoutSeconds: 5,
        memoryMb: 128,
        variables: {},
        credentials: { accessKeyId: 'ASIALOCAL', secretAccessKey: 'secret', sessionToken: 'token' },
        logGroup: 'echo',
      },
    ],
    clock,
    region: 'us-east-1',
    endpoints: {},
    hosts: {},
  });
  const gateway = await startApiGateway({
    api,
    clock,
    keyValues: new Map(api.keys.map(({ id, name }) => [id, `value-of-${name}`])),
    iam: {
      authenticate({ headers }) {
        const [, authorization] = headers.find(([name]) => name.toLowerCase() === 'authorization') ?? [];
        if (authorization === undefined) throw new AwsError('MissingAuthenticationTokenException', 'none');
        if (!authorization.startsWith('AWS4-HMAC-SHA256 '))
          throw new AwsError('InvalidSignatureException', 'wrong');
        return admin;
      },
      mayCall: (_, methodArn) =>
        methodArn === `arn:aws:execute-api:us-east-1:000000000000:${api.id}/prod/GET/admin`,
    },
    mayInvoke: (_, sourceArn) => !sourceArn.endsWith('/unpermitted'),
    invoke: lambda.invoke,
    onAccess: (line) => accessLog.push(line),
  });

  /** By node:http: it sends paths and header names as they are. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string | string[]> = {},
    body: string | Buffer = '',
  ): Promise<Answer> {
    return new Promise((done, failed) => {
      const { hostname, port } = new URL(gateway.endpoint);
      const request = httpRequest({ method, hostname, port, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      request.on('error', failed);
      request.end(body);
    });
  }

  return {
    clock,
    accessLog,
    read,
    api,
    lambda,
    send,
    async close(): Promise<void> {
      await gateway.close();
      await lambda.close();
      rmSync(root, { recursive: true });
    },
  };
}

/** Which of the gateway's own errors it is. */
export const problem = ({ body }: Answer) => (JSON.parse(body) as { type: string }).type;
