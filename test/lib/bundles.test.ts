import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { jobs, listeners, routes, triggers } from '../../functions/routes.ts';
import { bundleFunctions } from '../../lib/bundle.ts';

const bundles = bundleFunctions();
const KB = 1024;

test('each operation, trigger, listener and job has a bundle', () => {
  const wanted = [routes, triggers, listeners, jobs].flatMap((table) => Object.keys(table));
  for (const operation of wanted) assert.ok(bundles[operation], operation);
  assert.deepEqual(Object.keys(bundles).sort(), wanted.sort());
});

describe('no bundle exceeds its limit', () => {
  for (const [name, { bytes, inputs }] of Object.entries(bundles)) {
    const holds = (part: string) => inputs.some((input) => input.includes(part));
    const bound = holds('client-cognito-identity-provider')
      ? 340
      : holds('@aws-sdk/') || holds('@smithy/')
        ? 300
        : 60;
    test(`${name}: ${Math.ceil(bytes / KB)} of ${bound} KB`, () => assert.ok(bytes <= bound * KB));
  }
});

test('no bundle contains the SDK’s search for credentials, the CDK, or what runs only locally', () => {
  const foreign =
    /credential-provider-(node|ini|sso|process|web-identity|http)|aws-cdk-lib|^(local|test|bin)\//;
  for (const [name, { inputs }] of Object.entries(bundles)) {
    assert.deepEqual(
      inputs.filter((input) => foreign.test(input)),
      [],
      name,
    );
  }
});

test('no bundle contains the schemas of answers', () => {
  for (const [name, { inputs }] of Object.entries(bundles)) {
    assert.ok(!inputs.includes('functions/contract/answers.ts'), name);
  }
});

test('each bundle is CommonJS in any folder, and has no source map', () => {
  for (const [name, { folder, bytes }] of Object.entries(bundles)) {
    const code = readFileSync(join(folder, 'index.js'));
    assert.equal(code.length, bytes, name);
    assert.ok(!code.includes('sourceMappingURL'), name);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), { type: 'commonjs' });
  }
});
