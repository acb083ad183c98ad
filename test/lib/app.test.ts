import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { buildApp } from '../../lib/app.ts';
import { contextWith, synthesize, type Template } from './synthesize.ts';

interface Report {
  pluginReports: {
    pluginName: string;
    conclusion: string;
    violations: unknown[];
    suppressedViolations?: { ruleName: string }[];
  }[];
}

for (const [title, countersign] of [
  ['by default', {}],
  ['with sign-outs and mandatory enrollment', { globalSignOut: true, enrollment: { requiredAfterDays: 14 } }],
  [
    'with a pool, origins and no log role',
    {
      userPool: { id: 'eu-west-1_aBcDeFgHi' },
      cors: { origins: ['https://app.example'] },
      cloudWatchRole: false,
      globalSignOut: true,
    },
  ],
  ['with a firewall', { firewall: { requestsPerAddress: 1000, guessablePerAddress: 100 } }],
] as const) {
  test(`${title}, it passes cdk-nag and CloudFormation's own rules`, () => {
    delete process.env['CDK_VALIDATION'];
    const outdir = mkdtempSync(join(tmpdir(), 'countersign-nag-'));
    const app = buildApp({ context: contextWith(countersign), outdir });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { directory } = app.synth();
    const report: Report = JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8'));
    rmSync(outdir, { recursive: true });
    const nag = report.pluginReports.find(({ pluginName }) => pluginName === 'AwsSolutions');
    assert.ok(nag, 'the checks have run');
    for (const { pluginName, conclusion, violations } of report.pluginReports) {
      assert.equal(conclusion, 'success', pluginName);
      assert.deepEqual(violations, [], pluginName);
    }
    const allowed = [
      ...['AwsSolutions-APIG2', 'AwsSolutions-APIG3', 'AwsSolutions-APIG4', 'AwsSolutions-COG4'],
      ...['AwsSolutions-COG2', 'AwsSolutions-COG8', 'AwsSolutions-IAM4'],
    ];
    for (const { ruleName } of nag.suppressedViolations ?? []) {
      assert.ok(
        allowed.some((rule) => ruleName.startsWith(rule)),
        ruleName,
      );
    }
  });
}

const first = synthesize();
const second = synthesize();

test('the same configuration and sources give the same templates', () => {
  assert.deepEqual(first.data, second.data);
  assert.deepEqual(first.identity, second.identity);
  assert.deepEqual(first.api, second.api);
});

/** Returns the logical ids that a value refers to. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [String(inner[0])];
    if (key === 'Fn::Sub') {
      return [...String([inner].flat()[0]).matchAll(/\$\{([^.}!]+)/g)].map(([, id = '']) => id);
    }
    return references(inner);
  });
}

function cycleIn({ Resources }: Template): string[] | undefined {
  const done = new Set<string>();
  const visit = (id: string, path: string[]): string[] | undefined => {
    if (path.includes(id)) return [...path, id];
    const resource = Resources[id];
    if (!resource || done.has(id)) return undefined;
    for (const next of [...references(resource.Properties), ...(resource.DependsOn ?? [])]) {
      const cycle = visit(next, [...path, id]);
      if (cycle) return cycle;
    }
    done.add(id);
    return undefined;
  };
  for (const id of Object.keys(Resources)) {
    const cycle = visit(id, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test('no resource depends on itself, and no stack on a later one', () => {
  const signingOut = synthesize({ globalSignOut: true });
  for (const { data, identity, api } of [first, signingOut]) {
    for (const template of [data, identity, api]) assert.equal(cycleIn(template), undefined);
  }
  assert.deepEqual(
    first.assembly.stacks.map(({ stackName, dependencies }) => [
      stackName,
      dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets')),
    ]),
    [
      ['CountersignData', []],
      ['CountersignIdentity', ['CountersignData']],
      ['CountersignApi', ['CountersignData', 'CountersignIdentity']],
    ],
  );
});

test('no template contains an account, a region or a partition', () => {
  const text = JSON.stringify([first.data, first.identity, first.api]);
  assert.doesNotMatch(text, /arn:aws:|[a-z]{2}-(?:east|west|north|south|central)[a-z]*-\d|amazonaws\.com\//);
});

test('a wrong configuration stops the synthesis', () => {
  assert.throws(
    () => buildApp({ context: contextWith({ totp: { digits: 7 } }) }),
    /totp\.digits: given 7; allowed: \(6 \| 8\)/,
  );
});

test('the name of every stack starts with the configured name', () => {
  const { assembly } = synthesize({ name: 'Login2fa' });
  assert.deepEqual(assembly.stacks.map(({ stackName }) => stackName).sort(), [
    'Login2faApi',
    'Login2faData',
    'Login2faIdentity',
  ]);
});
