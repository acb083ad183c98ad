import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Route, routes } from '../../functions/routes.ts';
import { readConfig } from '../../lib/config.ts';
import { idOf, ofType, one, plain, synthesize } from './synthesize.ts';

const firewall = { requestsPerAddress: 1000, guessablePerAddress: 100 };
const { api } = synthesize({ firewall });

interface Rule {
  Name: string;
  Priority: number;
  Action: unknown;
  Statement: { RateBasedStatement: { Limit: number; ScopeDownStatement?: unknown } };
  VisibilityConfig: unknown;
}
const acl = plain(one(api, 'AWS::WAFv2::WebACL', 'FirewallWebAcl').Properties) as {
  Rules: Rule[];
  [name: string]: unknown;
};
const measured = (MetricName: string) => ({
  MetricName,
  CloudWatchMetricsEnabled: true,
  SampledRequestsEnabled: false,
});

test('there is no firewall unless it is configured', () => {
  const without = synthesize().api;
  for (const type of ['AWS::WAFv2::WebACL', 'AWS::WAFv2::WebACLAssociation']) {
    assert.deepEqual(ofType(without, type), []);
  }
});

test('it blocks only addresses above their limit, and samples no request', () => {
  const { Rules, ...rest } = acl;
  assert.deepEqual(rest, {
    Description: 'Countersign: requests of one address',
    Scope: 'REGIONAL',
    DefaultAction: { Allow: {} },
    VisibilityConfig: measured('Countersign'),
  });
  const [all, guessable] = Rules;
  assert.equal(Rules.length, 2);
  assert.deepEqual(all, {
    Name: 'RequestsPerAddress',
    Priority: 0,
    Action: { Block: {} },
    Statement: { RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 1000 } },
    VisibilityConfig: measured('RequestsPerAddress'),
  });
  const { ScopeDownStatement, ...limit } = guessable?.Statement.RateBasedStatement ?? assert.fail();
  assert.deepEqual(
    { ...guessable, Statement: limit },
    {
      Name: 'GuessablePerAddress',
      Priority: 1,
      Action: { Block: {} },
      Statement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 100 },
      VisibilityConfig: measured('GuessablePerAddress'),
    },
  );
  const { RegexMatchStatement } = ScopeDownStatement as { RegexMatchStatement: Record<string, unknown> };
  const { RegexString, ...match } = RegexMatchStatement;
  assert.deepEqual(match, {
    FieldToMatch: { UriPath: {} },
    TextTransformations: [
      { Priority: 0, Type: 'URL_DECODE' },
      { Priority: 1, Type: 'NORMALIZE_PATH' },
    ],
  });
  assert.ok(String(RegexString).length <= 512, 'the most that AWS WAF takes');
});

const scope = acl.Rules[1]?.Statement.RateBasedStatement.ScopeDownStatement;
const { RegexString } = (scope as { RegexMatchStatement: { RegexString: string } }).RegexMatchStatement;
for (const [operation, { path, guessable }] of Object.entries<Route>(routes)) {
  test(`the tighter limit ${guessable ? 'applies' : 'does not apply'} to ${operation}`, () => {
    for (const uri of [path, `/prod${path}`, `/base/prod${path}`, `${path}/`, `/prod${path}//`]) {
      assert.equal(new RegExp(RegexString).test(uri), guessable === true, uri);
    }
    assert.equal(new RegExp(RegexString).test(`${path}x`), false);
  });
}

test('it protects the stage', () => {
  const { ResourceArn, WebACLArn } = plain(
    one(api, 'AWS::WAFv2::WebACLAssociation', 'FirewallAssociation').Properties,
  ) as Record<string, string>;
  const restApi = idOf(api, 'AWS::ApiGateway::RestApi', 'Api');
  const stage = idOf(api, 'AWS::ApiGateway::Stage', 'ApiDeploymentStageprod');
  assert.equal(
    ResourceArn,
    `arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<${restApi}>/stages/<${stage}>`,
  );
  assert.equal(WebACLArn, `<${idOf(api, 'AWS::WAFv2::WebACL', 'FirewallWebAcl')}.Arn>`);
});

test('its limits are whole numbers that AWS WAF takes, and the tighter one is not above the other', () => {
  assert.deepEqual(readConfig({ firewall }).firewall, firewall);
  assert.equal(readConfig({}).firewall, undefined);
  for (const [given, at] of [
    [
      { ...firewall, requestsPerAddress: 9 },
      /firewall\.requestsPerAddress: given 9; allowed: a whole number from 10/,
    ],
    [
      { ...firewall, guessablePerAddress: 1001 },
      /firewall\.guessablePerAddress: given 1001; allowed: at most firewall/,
    ],
    [{ requestsPerAddress: 100 }, /firewall\.guessablePerAddress: is missing/],
    [true, /firewall: given true/],
  ] as const) {
    assert.throws(() => readConfig({ firewall: given }), at);
  }
});
