import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Service, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';
import { type Answer, challengeFor, clientOf, codeAt, enrollPerson } from '../support/client.ts';
import { published, storedKeys } from '../support/keyring-items.ts';
import { createPerson } from '../support/people.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { storedItem } from '../support/stored.ts';

const root = join(import.meta.dirname, '../..');
const folder = scratchFolder('rewrap');
const data = join(folder, 'data');
const shared = process.env['COUNTERSIGN_ASSEMBLY'] ?? join(folder, 'assembly');
if (!existsSync(join(shared, 'manifest.json'))) await synthesize(shared, {});
let running: Service | undefined;
after(async () => {
  await running?.close();
  rmSync(folder, { recursive: true });
});

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Writes the deployment with a second key for keyrings. Its functions use the first or the second key. */
function assemblyUnder(which: 'first' | 'second'): string {
  const own = join(folder, `under-${which}`);
  cpSync(shared, own, { recursive: true });
  for (const file of globSync(join(own, '*.template.json'))) {
    const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
    const keys = Object.keys(template.Resources).filter((id) => /^KeyringKey[0-9A-F]{8}$/.test(id));
    const [first] = keys;
    const key = first === undefined ? undefined : template.Resources[first];
    if (first === undefined || !key) continue;
    const resources = which === 'first' ? template.Resources : refer(template.Resources, first, 'SecondKey');
    const outputs = (template as unknown as { Outputs: unknown }).Outputs;
    const altered = {
      ...template,
      Outputs: which === 'first' ? outputs : refer(outputs, first, 'SecondKey'),
      Resources: { ...(resources as Template['Resources']), [first]: key, SecondKey: key },
    };
    writeFileSync(file, JSON.stringify(altered));
  }
  return own;
}

/** Returns a copy in which every `Fn::GetAtt` of one resource refers to the other. */
function refer(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((item) => refer(item, from, to));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === 'Fn::GetAtt' && inner[0] === from ? [to, inner[1]] : refer(inner, from, to),
    ]),
  );
}

/** Stops the running service and starts another one on its data. */
async function start(which: 'first' | 'second'): Promise<Service> {
  await running?.close();
  running = await startService({ assembly: assemblyUnder(which), folder: data });
  return running;
}

/** Returns the ARN of a key, from the name of its resource. */
function arnOf(name: RegExp): string {
  const identifiers = JSON.parse(readFileSync(join(data, 'identifiers.json'), 'utf8')) as Record<
    string,
    string
  >;
  const found = Object.entries(identifiers).find(([key]) => name.test(key));
  return `arn:aws:kms:us-east-1:000000000000:key/${found?.[1] ?? assert.fail(String(name))}`;
}

async function rewrap({ local }: Service, ...flags: string[]) {
  const { operator, kms, dynamodb } = local;
  const child = spawn(process.execPath, [join(root, 'bin/rewrap.ts'), ...flags], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: operator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const [code] = await once(child, 'close');
  return { code, out, err, lines: out.trim().split('\n') };
}

const service = await start('first');
const person = await createPerson(service);
const enrolled = await enrollPerson(service, clientOf(service), person);
const kids = await published(service);
const flagsFor = ({ local }: Service) => [
  ...['--table', local.dynamodb.tableName, '--from-stack', 'CountersignData'],
  ...['--from-key', arnOf(/KeyringKey/), '--to-key', arnOf(/SecondKey/)],
];
const rings = (of: Service) =>
  Promise.all(['data', 'backup-code', 'signing'].map((kind) => storedItem(of, `KEYRING#${kind}`)));

test('a missing or wrong flag is reported in one line', async () => {
  for (const [flags, expected] of [
    [[], /^rewrap: --from-key is missing\. See npm run rewrap -- --help\n$/],
    [
      [...flagsFor(service), '--from-key', 'alias/keyring'],
      /^rewrap: "alias\/keyring" is not the ARN of a KMS key/,
    ],
    [[...flagsFor(service), '--table', 'no-such-table'], /^rewrap: ResourceNotFoundException/],
    [
      [...flagsFor(service), '--from-stack', 'OtherData'],
      /^rewrap: (Key \S+ of kind data does not open|AccessDenied)/,
    ],
    [[...flagsFor(service), '--to-keys', 'x'], /^rewrap: Unknown option '--to-keys'/],
  ] as const) {
    const { code, err } = await rewrap(service, ...flags);
    assert.equal(code, 1);
    assert.match(err, expected);
    assert.equal(err.trim().split('\n').length, 1, err);
  }
});

test('--dry-run shows what it would do, and changes nothing', async () => {
  const before = await rings(service);
  const { code, lines, err } = await rewrap(service, ...flagsFor(service), '--dry-run');
  assert.deepEqual([code, err], [0, '']);
  assert.equal(lines.length, 4);
  assert.equal(lines.at(-1), 'Nothing was written.');
  assert.deepEqual(await rings(service), before);
});

test('a deployment under another key continues where the old one stopped, once its keyring is re-wrapped', async () => {
  const next = await start('second');
  const client = clientOf(next);
  const login = () => client.post('/v1/auth/login', { username: person.username, password: person.password });
  // Nobody can sign in, and no new key replaces one that cannot be opened.
  assert.equal((await login()).status, 503);
  // No empty key set is published either: verifiers elsewhere keep the keys they have.
  assert.equal((await fetch(`${next.url}/.well-known/jwks.json`)).status, 503);
  assert.equal((await client.get('/v1/authenticators', enrolled.access)).status, 503);

  // It stops in the middle, and is run again.
  let wrapped = 0;
  next.setFault(({ operation }) => (operation === 'ReEncrypt' && ++wrapped > 1 ? 'error' : undefined));
  const stopped = await rewrap(next, ...flagsFor(next));
  next.setFault(undefined);
  assert.equal(stopped.code, 1);
  assert.match(stopped.out, /^data +\S+ +wrapped anew\n$/);
  const finished = await rewrap(next, ...flagsFor(next));
  assert.deepEqual([finished.code, finished.err], [0, '']);
  assert.deepEqual(
    finished.lines.map((line) => line.split(/ {2,}/)[2]),
    ['left', 'wrapped anew', 'wrapped anew'],
  );

  // After 30 seconds, a container reads the keys again that it could not open.
  next.clock.advance(30);
  const code = () => codeAt(enrolled.secret, next.clock.seconds());
  const verified = (answer: Answer) => assert.equal(answer.status, 200, JSON.stringify(answer.body));
  verified(await client.post('/v1/auth/refresh', { refreshToken: enrolled.refresh }));
  verified(await client.post('/v1/authenticators/verify', { code: code() }, enrolled.access));
  const challengeToken = await challengeFor(client, person);
  verified(await client.post('/v1/auth/verify', { challengeToken, backupCode: enrolled.backupCodes[0] }));
  assert.deepEqual(await published(next), kids);

  const again = await rewrap(next, ...flagsFor(next));
  assert.deepEqual([again.code, again.out.includes('wrapped anew')], [0, false]);
  // Nothing needs the old KMS key any more: new keys are made under the new one, beside the others.
  next.clock.advance(91 * 86_400);
  assert.equal((await next.invoke('rotate-keys', {})).ok, true);
  assert.equal((await storedKeys(next, 'signing')).length, 2);
  next.clock.advance(86_400);
  verified(
    await client.post('/v1/auth/verify', {
      challengeToken: await challengeFor(client, person),
      code: code(),
    }),
  );
});
