import assert from 'node:assert/strict';
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createClock } from '@countersign/local-aws/clock';
import { type Service, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';
import { administratorOf } from '../support/administrator.ts';
import { clientOf, enrollPerson, signIn } from '../support/client.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const root = scratchFolder('service');
const assembly = process.env['COUNTERSIGN_ASSEMBLY'] ?? join(root, 'assembly');
const folder = join(root, 'data');
const lines: [string, string][] = [];
let service: Service;

const start = (more: Partial<Parameters<typeof startService>[0]> = {}) =>
  startService({
    assembly,
    folder,
    environments: 1,
    onLog: (operation, line) => lines.push([operation, line]),
    ...more,
  });

before(async () => {
  if (!existsSync(join(assembly, 'manifest.json'))) await synthesize(assembly, {});
  service = await start();
});
after(async () => {
  await service.close();
  rmSync(root, { recursive: true });
});

const user = (name: string) => {
  const found = service.local.users.find(({ username }) => username === name);
  return found ?? assert.fail(`no user ${name}`);
};

let alterations = 0;
/** The assembly with every resource of one type changed. */
function altered(type: string, change: (properties: Record<string, unknown>) => void): string {
  const copy = join(root, `altered-${alterations++}`);
  cpSync(assembly, copy, { recursive: true });
  for (const file of globSync(join(copy, '*.template.json'))) {
    const template = JSON.parse(readFileSync(file, 'utf8')) as {
      Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
    };
    for (const resource of Object.values(template.Resources)) {
      if (resource.Type === type) change(resource.Properties);
    }
    writeFileSync(file, JSON.stringify(template));
  }
  return copy;
}

test('every function signs as itself, and only the key-maker makes keys', async () => {
  await signIn(clientOf(service), user('ada'));
  const makers = service.calls.filter(({ operation }) => operation.startsWith('GenerateDataKey'));
  assert.ok(makers.length >= 3);
  for (const { principal } of makers) assert.match(String(principal), /assumed-role\/.*EnsureKeys/);
  const passwords = service.calls.filter(({ operation }) => operation === 'AdminInitiateAuth');
  for (const { principal } of passwords) assert.match(String(principal), /assumed-role\/.*Login/);
});

test('a data folder in use is refused', async () => {
  await assert.rejects(start(), /data is in use by process \d+\.$/);
});

test('the lock of a process that is gone is taken over', async () => {
  const data = join(root, 'stale');
  await (await start({ folder: data })).close();
  // This process has the id, but did not start then.
  writeFileSync(join(data, 'lock'), JSON.stringify({ pid: process.pid, started: '1' }));
  const again = await start({ folder: data });
  await assert.rejects(start({ folder: data }), /in use/);
  await again.close();
  assert.ok(!existsSync(join(data, 'lock')));
});

test('everything is as it was after a restart: users, keys, ids, what was enrolled', async () => {
  const person = user('grace');
  await enrollPerson(service, clientOf(service), person);
  const published = await clientOf(service).get('/.well-known/jwks.json');
  const before = service.local;
  await service.close();
  service = await start();
  const { apiKey, limitedApiKey, users, admin } = service.local;
  assert.deepEqual(
    { apiKey, limitedApiKey, users, admin },
    {
      apiKey: before.apiKey,
      limitedApiKey: before.limitedApiKey,
      users: before.users,
      admin: before.admin,
    },
  );
  assert.equal(service.local.cognito.userPoolId, before.cognito.userPoolId);
  assert.deepEqual((await clientOf(service).get('/.well-known/jwks.json')).body, published.body);
  const answer = await clientOf(service).post('/v1/auth/login', person);
  assert.equal(answer.body['status'], 'challenge');
});

test('a grant that is missing in the template is missing here', async () => {
  const crippled = altered('AWS::IAM::Role', (properties) => {
    for (const { PolicyDocument } of (properties['Policies'] ?? []) as {
      PolicyDocument: { Statement: unknown };
    }[]) {
      const statements = [PolicyDocument.Statement].flat() as { Action: string | string[] }[];
      PolicyDocument.Statement = statements.map((statement) => ({
        ...statement,
        Action: [statement.Action]
          .flat()
          .map((action) => (action === 'dynamodb:UpdateItem' ? 'dynamodb:ListTables' : action)),
      }));
    }
  });
  const other = await start({ assembly: crippled, folder: join(root, 'crippled') });
  const person = other.local.users[0] ?? assert.fail();
  const session = await signIn(clientOf(other), person);
  const { password } = person;
  const { status } = await clientOf(other).post('/v1/totp/enroll', { password }, session.access);
  const refused = other.calls.filter(({ operation }) => operation === 'UpdateItem');
  await other.close();
  assert.equal(status, 503);
  assert.deepEqual(new Set(refused.map((call) => call.status)), new Set([400]));
});

test('a function whose role may not write its log writes none', async () => {
  const silent = altered('AWS::IAM::Role', (properties) => {
    properties['Policies'] = JSON.parse(
      JSON.stringify(properties['Policies'] ?? []).replaceAll('logs:PutLogEvents', 'logs:DescribeLogStreams'),
    );
  });
  const written = new Set<string>();
  const onLog = (operation: string) => written.add(operation);
  const other = await start({ assembly: silent, folder: join(root, 'silent'), onLog });
  await clientOf(other).get('/.well-known/jwks.json');
  await other.close();
  assert.deepEqual(written, new Set(['access']));
});

test('a function that the API has no permission to invoke answers 500', async () => {
  const closed = altered('AWS::Lambda::Permission', (properties) => {
    properties['Principal'] = 'events.amazonaws.com';
  });
  const other = await start({ assembly: closed, folder: join(root, 'closed') });
  const answer = await clientOf(other).get('/.well-known/jwks.json');
  await other.close();
  assert.equal(answer.status, 500);
});

test('a trigger that fails stops the start, and says what it reported', async () => {
  const broken = altered('AWS::Lambda::Function', (properties) => {
    const { Variables } = (properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    delete Variables?.['KEYRING_STACK'];
  });
  const data = join(root, 'broken');
  await assert.rejects(start({ assembly: broken, folder: data }), /failed: .+KEYRING_STACK is missing/);
  // And leaves nothing open: the folder is free.
  assert.ok(!existsSync(join(data, 'lock')));
});

test('a configuration that is wrong says so, and nothing of where', async () => {
  await assert.rejects(synthesize(join(root, 'wrong'), { nothing: 1 }), (error: Error) => {
    assert.match(error.message, /nothing: no such setting/);
    assert.doesNotMatch(error.message, /\n {4}at |node:internal/);
    return true;
  });
});

test('the administrator is let in by signature and policy, and nobody else', async () => {
  const administrator = administratorOf(service);
  assert.notEqual((await administrator.status('nobody')).status, 403);
  const wrong = { ...service.local.admin, secretAccessKey: 'x'.repeat(40) };
  assert.equal((await administratorOf(service, wrong).status('nobody')).body['code'], 'signature_invalid');
  const bystander = service.principals.user('bystander', []);
  assert.equal((await administratorOf(service, bystander).status('nobody')).body['code'], 'access_denied');
  const unsigned = await clientOf(service).get('/v1/admin/users/nobody');
  assert.equal(unsigned.status, 403);
});

test('a fault that is set is met, and is gone when it is taken away', async () => {
  const login = () => clientOf(service).post('/v1/auth/login', user('ada'));
  service.setFault(({ service: name }) => (name === 'dynamodb' ? 'error' : undefined));
  assert.equal((await login()).status, 503);
  service.setFault(undefined);
  assert.equal((await login()).status, 200);
});

test('the time that is set is the time of the functions, the servers and the gateway', async () => {
  const clock = createClock();
  const other = await start({ folder: join(root, 'later'), clock });
  clock.advance(86_400 * 400);
  const client = clientOf(other);
  const { body, headers } = await client.post('/v1/auth/login', other.local.users[0]);
  await other.close();
  const [, claims = ''] = String(body['accessToken']).split('.');
  const { iat } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  assert.ok(Math.abs(iat - clock.seconds()) < 10);
  assert.ok(Math.abs(Date.parse(headers.get('date') ?? '') / 1000 - clock.seconds()) < 10);
});

test('a clock that is stopped goes on by what it is moved alone, for the functions too', async () => {
  const clock = createClock();
  const other = await start({ folder: join(root, 'stopped'), clock });
  clock.stop();
  const stoppedAt = clock.now();
  clock.stop();
  const client = clientOf(other);
  const issuedAt = async () => {
    const { body } = await client.post('/v1/auth/login', other.local.users[0]);
    const [, claims = ''] = String(body['accessToken']).split('.');
    return JSON.parse(Buffer.from(claims, 'base64url').toString()).iat;
  };
  assert.equal(await issuedAt(), Math.floor(stoppedAt / 1000));
  clock.advance(86_400.5);
  assert.equal(await issuedAt(), Math.floor((stoppedAt + 86_400_500) / 1000));
  await other.close();
  assert.equal(clock.now(), stoppedAt + 86_400_500);
});

test('an operation can be invoked by its name, and its lines are told by it', async () => {
  const result = await service.invoke('discovery', { headers: {}, requestContext: {} });
  assert.equal(typeof result.ok, 'boolean');
  await assert.rejects(service.invoke('nothing', {}), /No operation nothing/);
  assert.ok(lines.some(([operation]) => operation === 'login'));
  assert.ok(lines.some(([operation, line]) => operation === 'access' && line.includes('/v1/auth/login')));
});
