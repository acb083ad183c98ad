import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readEnvironment } from '../../adapters/environment.ts';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
import { pascalCase } from '../../lib/pascal-case.ts';
import { idOf, ofType, one, plain, type Resource, synthesize, type Template } from './synthesize.ts';

const { data, identity, api } = synthesize();
const exporters = [data, identity];
const operations = Object.entries(routes) as [Operation, Route][];
const origins = ['https://app.example', 'https://other.example'];
const configured = synthesize({
  issuer: 'https://id.example',
  formerIssuers: ['https://old.example'],
  audience: 'api.example',
  cors: { origins },
  cloudWatchRole: false,
  memory: 1024,
  logRetentionDays: 30,
  trustedIssuers: [
    {
      realm: 'partner',
      issuer: 'https://idp.example',
      jwksUri: 'https://idp.example/keys',
      audience: ['totp'],
    },
  ],
});

/** Returns the path of a resource, from its chain of parents. */
function pathOf(template: Template, reference: unknown): string {
  const id = /^<(.+)>$/.exec(String(plain(reference)))?.[1] ?? '';
  const resource = template.Resources[id];
  return resource
    ? `${pathOf(template, resource.Properties['ParentId'])}/${resource.Properties['PathPart']}`
    : '';
}

function methods(template: Template): Map<string, Resource['Properties']> {
  return new Map(
    ofType(template, 'AWS::ApiGateway::Method').map(([, { Properties }]) => [
      `${Properties['HttpMethod']} ${pathOf(template, Properties['ResourceId'])}`,
      Properties,
    ]),
  );
}

const environmentOf = (template: Template, operation: Operation, from = exporters) => {
  const { Properties } = one(template, 'AWS::Lambda::Function', `${pascalCase(operation)}Function`);
  return (plain(Properties['Environment'], from) as { Variables: Record<string, string> }).Variables;
};

test('each route has a method, and there are no other methods', () => {
  assert.deepEqual(
    [...methods(api).keys()].sort(),
    operations.map(([, { method, path }]) => `${method} ${path}`).sort(),
  );
});

describe('each route', () => {
  for (const [operation, { method, path, caller }] of operations) {
    test(`${method} ${path}: ${caller}`, () => {
      const found = methods(api).get(`${method} ${path}`);
      assert.equal(found?.['ApiKeyRequired'], caller !== 'open', 'an API key everywhere but on open routes');
      assert.equal(found['AuthorizationType'], caller === 'iam' ? 'AWS_IAM' : 'NONE');
      const handler = idOf(api, 'AWS::Lambda::Function', `${pascalCase(operation)}Function`);
      const { Type, Uri } = plain(found['Integration']) as { Type: string; Uri: string };
      assert.equal(Type, 'AWS_PROXY');
      assert.ok(Uri.includes(`<${handler}.Arn>`));
    });
  }
});

describe('each function', () => {
  for (const [operation] of operations) {
    test(`${operation} is arm64, nodejs24.x, ends within 10 s and logs for a limited time`, () => {
      const { Properties } = one(api, 'AWS::Lambda::Function', `${pascalCase(operation)}Function`);
      assert.deepEqual(Properties['Architectures'], ['arm64']);
      assert.equal(Properties['Runtime'], 'nodejs24.x');
      assert.equal(Properties['Handler'], 'index.handler');
      assert.equal(Properties['Timeout'], 10);
      assert.equal(Properties['MemorySize'], 512);
      const log = idOf(api, 'AWS::Logs::LogGroup', `${pascalCase(operation)}Log`);
      assert.deepEqual(plain(Properties['LoggingConfig']), { LogGroup: `<${log}>` });
      assert.equal(api.Resources[log]?.Properties['RetentionInDays'], 90);
    });
  }
});

describe('the environment', () => {
  const source = readFileSync(new URL('../../adapters/environment.ts', import.meta.url), 'utf8');
  const names = [...source.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name);
  type Name = Parameters<typeof readEnvironment>[number];

  for (const [title, template, from] of [
    ['by default', api, exporters],
    ['with everything configured', configured.api, [configured.data, configured.identity]],
  ] as const) {
    test(`is complete and readable in every function, ${title}`, () => {
      for (const [operation] of operations) {
        const variables = environmentOf(template, operation, [...from]);
        assert.deepEqual(
          Object.keys(variables).sort(),
          names.filter((name) => name !== 'AWS_REGION' && (name !== 'AUDIENCE' || template !== api)).sort(),
          operation,
        );
        Object.assign(process.env, { AWS_REGION: 'eu-west-1' }, variables);
        readEnvironment(...(names as Name[]));
      }
    });
  }

  test('names the issuer by the id of the API if none is configured', () => {
    const { ISSUER } = environmentOf(api, 'login');
    const rest = idOf(api, 'AWS::ApiGateway::RestApi', 'Api');
    assert.equal(ISSUER, `https://<${rest}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod`);
  });

  test('is refused at synthesis if it is larger than Lambda allows, and the fault names the largest parts', () => {
    const many = (count: number) => ({
      clients: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`client-${i}`, { plan: 'standard', keys: ['one', 'two'] }]),
      ),
    });
    synthesize(many(10));
    assert.throws(
      () => synthesize(many(60)),
      /would be about \d+ bytes, and Lambda allows 4096.*CLIENTS \(\d+\)/s,
    );
  });

  test('has the configured values', () => {
    const from = [configured.data, configured.identity];
    const { ISSUER, AUDIENCE, FORMER_ISSUERS, CORS_ORIGINS } = environmentOf(configured.api, 'login', from);
    assert.deepEqual(
      [ISSUER, AUDIENCE, FORMER_ISSUERS, CORS_ORIGINS],
      ['https://id.example', 'api.example', '["https://old.example"]', JSON.stringify(origins)],
    );
  });

  test('trusts access tokens of the pool for the apps client, never those for the login client', () => {
    const from = [configured.data, configured.identity];
    const [pool, updated, partner] = JSON.parse(
      environmentOf(configured.api, 'login', from)['TRUSTED_ISSUERS'] ?? '',
    );
    const id = idOf(configured.identity, 'AWS::Cognito::UserPool', 'UserPool');
    const issuer = `https://cognito-idp.<AWS::Region>.<AWS::URLSuffix>/<${id}>`;
    assert.deepEqual(pool, {
      issuer,
      jwksUri: `${issuer}/.well-known/jwks.json`,
      realm: 'users',
      algorithms: ['RS256'],
      clientIds: [`<${idOf(configured.identity, 'AWS::Cognito::UserPoolClient', 'AppsClient')}>`],
      tokenUse: 'access',
      pool: true,
      accountClaim: 'username',
    });
    // The same pool, if its IssuerConfiguration is UPDATED.
    const other = `https://issuer-cognito-idp.<AWS::Region>.<AWS::URLSuffix>/<${id}>`;
    assert.deepEqual(updated, { ...pool, issuer: other, jwksUri: `${other}/.well-known/jwks.json` });
    assert.equal(partner.realm, 'partner');
  });

  test("trusts the tokens of an existing pool's own app clients if they are configured", () => {
    const own = synthesize({ userPool: { id: 'eu-west-1_aBcDeFgHi', clientIds: ['theirs'] } });
    const [pool] = JSON.parse(
      environmentOf(own.api, 'login', [own.data, own.identity])['TRUSTED_ISSUERS'] ?? '',
    );
    const apps = idOf(own.identity, 'AWS::Cognito::UserPoolClient', 'AppsClient');
    assert.deepEqual(pool.clientIds, [`<${apps}>`, 'theirs']);
  });

  test('names the client of every API key', () => {
    assert.deepEqual(JSON.parse(environmentOf(api, 'login')['CLIENTS'] ?? ''), {
      [`<${idOf(api, 'AWS::ApiGateway::ApiKey', 'ClientsAppFirststandard')}>`]: 'app',
      [`<${idOf(api, 'AWS::ApiGateway::ApiKey', 'ClientsTrialFirstlimited')}>`]: 'trial',
    });
  });
});

test('the endpoint requires at least TLS 1.2 with forward secrecy', () => {
  const { SecurityPolicy, EndpointAccessMode } = one(api, 'AWS::ApiGateway::RestApi', 'Api').Properties;
  assert.deepEqual(
    [SecurityPolicy, EndpointAccessMode],
    ['SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09', 'STRICT'],
  );
});

describe('the stage', () => {
  const stage = one(api, 'AWS::ApiGateway::Stage', 'ApiDeploymentStageprod').Properties;

  test('is throttled and measured, and never logs bodies', () => {
    assert.deepEqual(stage['MethodSettings'], [
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'ERROR',
        MetricsEnabled: true,
        ThrottlingRateLimit: 200,
        ThrottlingBurstLimit: 400,
      },
    ]);
  });

  test('logs each request as JSON, without its query, headers and path as sent', () => {
    const { Format } = stage['AccessLogSetting'] as { Format: string };
    const values = Object.values(JSON.parse(Format));
    assert.ok(values.includes('$context.requestId'));
    for (const value of values) {
      assert.match(
        String(value),
        /^\$context\.(?!path|authorizer|identity\.apiKey$|identity\.userAgent)[A-Za-z.]+$/,
      );
    }
  });

  test('every log expires, including the execution log of API Gateway', () => {
    const logs = ofType(configured.api, 'AWS::Logs::LogGroup');
    assert.equal(logs.length, operations.length + 2);
    for (const [, { Properties }] of logs) assert.equal(Properties['RetentionInDays'], 30);
    const { Properties } = one(api, 'AWS::Logs::LogGroup', 'ExecutionLog');
    const rest = idOf(api, 'AWS::ApiGateway::RestApi', 'Api');
    assert.equal(plain(Properties['LogGroupName']), `API-Gateway-Execution-Logs_<${rest}>/prod`);
  });

  test('depends on the account-wide log role, which is retained, or leaves that role alone', () => {
    const account = one(api, 'AWS::ApiGateway::Account', 'ApiAccount');
    assert.equal(account.DeletionPolicy, 'Retain');
    const { DependsOn } = one(api, 'AWS::ApiGateway::Stage', 'ApiDeploymentStageprod');
    assert.ok(DependsOn?.includes(idOf(api, 'AWS::ApiGateway::Account', 'ApiAccount')));
    assert.deepEqual(ofType(configured.api, 'AWS::ApiGateway::Account'), []);
  });
});

test('browsers on the configured origins may call every route but those of administrators, with three headers', () => {
  const expected = new Map<string, string[]>();
  for (const [, { caller, path, method }] of operations) {
    if (caller !== 'iam') expected.set(path, [...(expected.get(path) ?? []), method]);
  }
  const preflights = [...methods(configured.api)].filter(([name]) => name.startsWith('OPTIONS '));
  assert.deepEqual(preflights.map(([name]) => name.slice(8)).sort(), [...expected.keys()].sort());
  for (const [name, { ApiKeyRequired, Integration }] of preflights) {
    assert.equal(ApiKeyRequired, false, 'a browser sends no key with a preflight');
    const { IntegrationResponses } = Integration as {
      IntegrationResponses: {
        ResponseParameters: Record<string, string>;
        ResponseTemplates: Record<string, string>;
      }[];
    };
    const [response] = IntegrationResponses;
    const header = (key: string) =>
      response?.ResponseParameters[`method.response.header.Access-Control-${key}`];
    assert.equal(header('Allow-Methods'), `'${expected.get(name.slice(8))?.join(',')}'`);
    assert.equal(header('Allow-Headers'), "'authorization,content-type,x-api-key'");
    assert.equal(header('Allow-Origin'), "'https://app.example'");
    assert.equal(header('Allow-Credentials'), undefined);
    assert.match(response?.ResponseTemplates['application/json'] ?? '', /"https:\/\/other\.example"/);
  }
});

test('without origins there are no preflights', () => {
  assert.deepEqual(
    [...methods(api).keys()].filter((name) => name.startsWith('OPTIONS')),
    [],
  );
});

test('the outputs name the URL, the pool, the clients and the API keys, and hold no secret', () => {
  assert.deepEqual(Object.keys(api.Outputs).sort(), [
    'ApiKeyIdAppFirst',
    'ApiKeyIdTrialFirst',
    'ApiUrl',
    'AppsClientId',
    'Issuer',
    'LoginClientId',
    'UserPoolId',
  ]);
});
