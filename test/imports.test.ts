import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

const environment = /\bprocess\s*\.\s*env\b|\bprocess\s*\[/;
const wallClock = /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(\(\s*\)|(?!\s*\())|\bperformance\s*\.\s*now\b/;
const chance = /\bMath\s*\.\s*random\b/;

interface Rule {
  /** The files it is for: a folder, or one file. The longest that fits decides. */
  in: string;
  /** What they may import: folders and files of this project, from `/`; packages; `node:` is every module of Node's. */
  may: string[];
  /** What they may not say. */
  never: RegExp[];
}

const packagesOfAdapters = ['@aws-sdk/', '@middy/core', 'aws-lambda', 'jose', 'qrcode', 'valibot'];
const adapters = ['/core/', '/adapters/', '/functions/contract/', 'node:', ...packagesOfAdapters];
const packagesOfLib = ['aws-cdk-lib', 'cdk-nag', 'constructs', 'esbuild', 'valibot'];
const lib = [
  '/lib/',
  '/functions/routes.ts',
  '/functions/contract/',
  '/core/settings.ts',
  '/core/issuers.ts',
  'node:',
  ...packagesOfLib,
];

/** Data flows one way: event → adapter in → operation → core → port → adapter out. */
const rules: Rule[] = [
  {
    in: 'core/',
    may: ['/core/', 'otplib', '@otplib/', '@scure/base', 'valibot', 'node:crypto'],
    never: [environment, wallClock, chance],
  },
  { in: 'adapters/', may: adapters, never: [environment, chance] },
  { in: 'adapters/environment.ts', may: adapters, never: [chance] },
  {
    in: 'functions/',
    may: ['/core/', '/adapters/', '/functions/contract/', 'valibot', 'aws-lambda', 'node:timers/promises'],
    never: [environment, wallClock, chance],
  },
  {
    in: 'functions/contract/',
    may: ['/core/', '/functions/contract/', '/functions/routes.ts', 'valibot'],
    never: [environment],
  },
  { in: 'functions/routes.ts', may: [], never: [environment] },
  { in: 'lib/', may: lib, never: [environment] },
  // Takes the place of the SDK's search for credentials in the bundles.
  { in: 'lib/lambda-credentials.ts', may: [], never: [] },
];

/** Beside these, nothing imports what runs on this machine only. */
const MAY_IMPORT_LOCAL = ['local/', 'bin/', 'test/'];

/** What is wrong with a file, in words. */
function breaches(path: string, source: string): string[] {
  const rule = rules
    .filter(({ in: place }) => path.startsWith(place))
    .toSorted((one, other) => other.in.length - one.in.length)[0];
  const found: string[] = [];
  for (const specifier of importsOf(source)) {
    const target = specifier.startsWith('.') ? posix.join('/', posix.dirname(path), specifier) : specifier;
    const local = target.startsWith('/local/') && !MAY_IMPORT_LOCAL.some((place) => path.startsWith(place));
    if (local || (rule && !rule.may.some((allowed) => covers(allowed, target)))) {
      found.push(`${path} imports ${target}`);
    }
  }
  for (const pattern of rule?.never ?? []) {
    const [said] = pattern.exec(source) ?? [];
    if (said !== undefined) found.push(`${path} says ${said}`);
  }
  if (rule && /\brequire\s*\(|\bimport\s*\((?!\s*['"`])/.test(source))
    found.push(`${path} imports by a computed name`);
  if (/\bimport\s+(?!type\b)[^;'"]*\bfrom\s*['"]aws-lambda['"]/.test(source)) {
    found.push(`${path} imports aws-lambda, which is types alone, at run time`);
  }
  return found;
}

/** The specifiers of static, side-effect, dynamic and type imports, and of exports from elsewhere. */
function importsOf(source: string): string[] {
  const found = source.matchAll(/\b(?:from\s*['"]|import\s*\(?\s*['"`])([^'"`\n]+)['"`]/g);
  return [...found].map(([, name = '']) => name);
}

function covers(allowed: string, target: string): boolean {
  return /[/:]$/.test(allowed)
    ? target.startsWith(allowed)
    : target === allowed || target.startsWith(`${allowed}/`);
}

const files = globSync('{adapters,bin,core,docs,functions,lib,local,test}/**/*.{ts,mjs,js}', {
  cwd: root,
});

test('every import follows the direction of the layout', () => {
  assert.ok(files.length > 50);
  const found = files
    .filter((path) => path !== 'test/imports.test.ts')
    .flatMap((path) => breaches(path, readFileSync(join(root, path), 'utf8')));
  assert.deepEqual(found, []);
});

test('every rule is for files there are', () => {
  for (const { in: place } of rules)
    assert.ok(
      files.some((path) => path.startsWith(place)),
      place,
    );
});

test('every package that is deployed is pinned among the dependencies', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const used = files
    .filter((path) => /^(core|adapters|functions)\//.test(path))
    .flatMap((path) => importsOf(readFileSync(join(root, path), 'utf8')))
    .filter((name) => !/^(\.|node:|aws-lambda$)/.test(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  for (const name of new Set(used)) assert.match(dependencies[name] ?? '', /^\d+\.\d+\.\d+$/, name);
});

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
  ['core/verify.ts', 'const now = Date.now() / 1000;'],
  ['core/verify.ts', 'const now = new Date();'],
  ['core/verify.ts', 'const now = new Date;'],
  ['core/verify.ts', 'const id = Math.random();'],
  ['core/verify.ts', "const table = process.env['TABLE_NAME'];"],
  ['core/verify.ts', "const { env } = process['env'];"],
  ['adapters/records.ts', "import { handler } from '../functions/verify.ts';"],
  ['adapters/records.ts', "import { startDynamoDb } from '../local/dynamodb.ts';"],
  ['adapters/records.ts', "import axios from 'axios';"],
  ['adapters/records.ts', "import { Context } from 'aws-lambda';"],
  ['adapters/records.ts', 'const { TABLE_NAME } = process.env;'],
  ['adapters/records.ts', "const sdk = require('@aws-sdk/client-dynamodb');"],
  ['adapters/records.ts', 'const sdk = await import(name);'],
  ['functions/verify.ts', "import { handler } from './login.ts';"],
  ['functions/cognito/define-auth-challenge.ts', "import { handler } from '../verify.ts';"],
  ['functions/verify.ts', "import { jwtVerify } from 'jose';"],
  ['functions/verify.ts', 'const now = Math.floor(Date.now() / 1000);'],
  ['functions/routes.ts', "import type { Operation } from '../core/claims.ts';"],
  ['lib/api-stack.ts', "import { handler } from '../functions/verify.ts';"],
  ['lib/api-stack.ts', "import { verify } from '../core/verify.ts';"],
  ['lib/api-stack.ts', "import { startService } from '../local/service.ts';"],
  ['lib/api-stack.ts', "const region = process.env['CDK_DEFAULT_REGION'];"],
  ['pages/index.ts', "import { startService } from '../local/service.ts';"],
];
for (const [path, source] of planted) {
  test(`a breach is found: ${source.replaceAll('\n', ' ')} in ${path}`, () => {
    assert.equal(breaches(path, source).length, 1, breaches(path, source).join());
  });
}

test('what is allowed is no breach', () => {
  for (const [path, source] of [
    ['core/verify.ts', "import { prove } from './proof.ts';\nimport * as v from 'valibot';"],
    ['adapters/tokens.ts', 'const currentDate = new Date(now * 1000);'],
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
  ] as const) {
    assert.deepEqual(breaches(path, source), []);
  }
});
