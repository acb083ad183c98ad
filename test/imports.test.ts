/**
 * The layout's rules of imports are in biome.json (noRestrictedImports, noProcessEnv), so that lint and editors tell a breach.
 * Here: that those rules find what they are for, and the few rules that biome has not.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const files = globSync('{adapters,core,functions,lib}/**/*.ts', { cwd: root });
const sourceOf = (path: string) => readFileSync(join(root, path), 'utf8');

const wallClock = /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(\(\s*\)|(?!\s*\())|\bperformance\s*\.\s*now\b/;
const chance = /\bMath\s*\.\s*random\b/;
const computed = /\brequire\s*\(|\bimport\s*\((?!\s*['"`])/;
const typeOfImport = /[:=<|&]\s*import\s*\(/;
const typesAtRunTime = /\bimport\s+(?!type\b)[^;'"]*\bfrom\s*['"]aws-lambda['"]/;

/** The rules that biome has not: what the files of a folder may not say. */
function breaches(path: string, source: string): string[] {
  const never = [computed, typeOfImport, typesAtRunTime];
  if (/^(core|functions)\//.test(path)) never.push(wallClock);
  if (/^(core|functions|adapters)\//.test(path)) never.push(chance);
  return never.flatMap((pattern) => {
    const [said] = pattern.exec(source) ?? [];
    return said === undefined ? [] : [`${path} says ${said}`];
  });
}

test('core and functions read no clock, nothing draws lots, and no import has a computed name', () => {
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.flatMap((path) => breaches(path, sourceOf(path))),
    [],
  );
});

test('those breaches are found', () => {
  for (const [path, source] of [
    ['core/verify.ts', 'const now = Date.now() / 1000;'],
    ['core/verify.ts', 'const now = new Date();'],
    ['core/verify.ts', 'const now = new Date;'],
    ['core/verify.ts', 'const id = Math.random();'],
    ['functions/verify.ts', 'const now = Math.floor(Date.now() / 1000);'],
    ['adapters/records.ts', 'const id = Math.random();'],
    ['adapters/records.ts', "const sdk = require('@aws-sdk/client-dynamodb');"],
    ['adapters/records.ts', 'const sdk = await import(name);'],
    ['adapters/records.ts', "import { Context } from 'aws-lambda';"],
    ['core/verify.ts', "let bearer: import('../adapters/bearer.ts').Bearer;"],
  ] as const) {
    assert.equal(breaches(path, source).length, 1, source);
  }
  assert.deepEqual(breaches('adapters/tokens.ts', 'const currentDate = new Date(now * 1000);'), []);
});

test('every package that is deployed is pinned among the dependencies', () => {
  const { dependencies } = JSON.parse(sourceOf('package.json'));
  const used = files
    .filter((path) => /^(core|adapters|functions)\//.test(path))
    .flatMap((path) => importsOf(sourceOf(path)))
    .filter((name) => !/^(\.|node:|aws-lambda$)/.test(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  for (const name of new Set(used)) assert.match(dependencies[name] ?? '', /^\d+\.\d+\.\d+$/, name);
});

/** The specifiers of static, side-effect, dynamic and type imports, and of exports from elsewhere. */
function importsOf(source: string): string[] {
  const found = source.matchAll(/\b(?:from\s*['"]|import\s*\(?\s*['"`])([^'"`\n]+)['"`]/g);
  return [...found].map(([, name = '']) => name);
}

const planted: [path: string, source: string][] = [
  ['core/verify.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
  ['core/verify.ts', "import { problem } from '../adapters/problem.ts';"],
  ['core/verify.ts', "import type { Bearer } from '../adapters/bearer.ts';"],
  ['core/verify.ts', "export { problem } from '../adapters/problem.ts';"],
  ['core/verify.ts', "import 'node:fs';"],
  ['core/verify.ts', "const fs = await import('node:fs');"],
  ['core/verify.ts', 'import {\n  a,\n  b,\n} from "jose";'],
  ['core/verify.ts', "import * as totp from 'otplib-of-somebody';"],
  ['core/verify.ts', "import { x } from 'core/../../elsewhere.ts';"],
  ['core/verify.ts', "const table = process.env['TABLE_NAME'];"],
  ['core/verify.ts', "const { env } = process['env'];"],
  ['adapters/records.ts', "import { handler } from '../functions/verify.ts';"],
  ['adapters/records.ts', "import { answers } from '../functions/contract/answers.ts';"],
  ['adapters/records.ts', "import { startDynamoDb } from '@countersign/local-aws/dynamodb';"],
  ['adapters/records.ts', "import axios from 'axios';"],
  ['adapters/records.ts', 'const { TABLE_NAME } = process.env;'],
  ['functions/verify.ts', "import { handler } from './login.ts';"],
  ['functions/cognito/define-auth-challenge.ts', "import { handler } from '../verify.ts';"],
  ['functions/verify.ts', "import { jwtVerify } from 'jose';"],
  ['functions/contract/errors.ts', "import { problem } from '../../adapters/problem.ts';"],
  ['functions/routes.ts', "import type { Operation } from '../core/claims.ts';"],
  ['lib/api-stack.ts', "import { handler } from '../functions/verify.ts';"],
  ['lib/api-stack.ts', "import { verify } from '../core/verify.ts';"],
  ['lib/api-stack.ts', "import { startService } from '../local/service.ts';"],
  ['lib/api-stack.ts', "const region = process.env['CDK_DEFAULT_REGION'];"],
  ['docs/example.ts', "import { startService } from '../local/service.ts';"],
  ['docs/example.ts', "import { startAws } from '@countersign/local-aws';"],
];

const allowed: [path: string, source: string][] = [
  ['core/verify.ts', "import { prove } from './proof.ts';\nimport * as v from 'valibot';"],
  [
    'adapters/records.ts',
    "import type { Context } from 'aws-lambda';\nimport { isDeepStrictEqual } from 'node:util';",
  ],
  ['adapters/environment.ts', 'const value = process.env[name];'],
  [
    'functions/cognito/define-auth-challenge.ts',
    "import { readEnvironment } from '../../adapters/environment.ts';",
  ],
  [
    'lib/api-stack.ts',
    "import { RestApi } from 'aws-cdk-lib/aws-apigateway';\nimport { routes } from '../functions/routes.ts';",
  ],
  ['bin/local.ts', "import { startService } from '../local/service.ts';"],
];

test('biome finds every breach of the direction of imports, and nothing in what is allowed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-imports-'));
  try {
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    const put = ([path, source]: [string, string], index: number): string => {
      // A rule for one file is for that name; in the other folders each has a file of its own.
      const own = /(routes|errors|environment)\.ts$/.test(path) ? path : path.replace('.ts', `-${index}.ts`);
      mkdirSync(dirname(join(folder, own)), { recursive: true });
      writeFileSync(join(folder, own), source);
      return own;
    };
    const wrong = planted.map(put);
    for (const [index, file] of allowed.entries()) put(file, planted.length + index);
    const biome = join(root, 'node_modules/.bin/biome');
    const parameters = ['lint', '--max-diagnostics=none', '.'];
    const { stdout, stderr } = spawnSync(biome, parameters, { cwd: folder, encoding: 'utf8' });
    const told = (stdout + stderr).matchAll(
      /^(\S+\.ts):\d+:\d+ lint\/style\/(?:noRestrictedImports|noProcessEnv)/gm,
    );
    assert.deepEqual([...new Set([...told].map(([, path]) => path))].sort(), wrong.sort());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
