import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Statement } from '../../src/iam/policy.ts';
import { checkStatements, isAllowed } from '../../src/iam/policy.ts';
import { allow } from '../../testing/stage.ts';

const TABLE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/records';

function allowed(
  statements: Statement | Statement[],
  context: Record<string, string | string[]> = {},
  action = 'dynamodb:GetItem',
  resource = TABLE,
): boolean {
  return isAllowed([statements].flat(), { action, resource, context });
}

const when = (condition: Statement['Condition']) => allow('*', '*', condition);

test('nothing is allowed by default, and an explicit deny wins', () => {
  assert.equal(allowed([]), false);
  assert.equal(allowed(allow('dynamodb:GetItem', TABLE)), true);
  const deny: Statement = { Effect: 'Deny', Action: 'dynamodb:*', Resource: '*' };
  assert.equal(allowed([allow('*', '*'), deny]), false);
  assert.equal(allowed([allow('*', '*'), deny], {}, 'kms:Decrypt'), true);
});

test('actions match by wildcard, in any case', () => {
  assert.equal(allowed(allow('DynamoDB:get*', TABLE)), true);
  assert.equal(allowed(allow('dynamodb:GetIte?', TABLE)), true);
  assert.equal(allowed(allow('dynamodb:GetIt?', TABLE)), false);
  assert.equal(allowed(allow('dynamodb.GetItem', TABLE)), false);
  const rest: Statement = { Effect: 'Allow', NotAction: ['dynamodb:Get*'], Resource: '*' };
  assert.equal(allowed(rest), false);
  assert.equal(allowed(rest, {}, 'dynamodb:PutItem'), true);
});

test('resources match part by part, in their own case', () => {
  assert.equal(allowed(allow('*', 'arn:aws:dynamodb:*:*:table/rec*')), true);
  assert.equal(allowed(allow('*', 'arn:aws:dynamodb:*:*:table/Rec*')), false);
  assert.equal(allowed(allow('*', 'arn:aws:*:*:*:records')), false);
  assert.equal(allowed(allow('*', `${TABLE}/index/*`)), false);
  assert.equal(allowed(allow('*', TABLE), {}, 'dynamodb:ListTables', '*'), false);
  const rest: Statement = { Effect: 'Allow', Action: '*', NotResource: TABLE };
  assert.equal(allowed(rest), false);
  assert.equal(allowed(rest, {}, 'dynamodb:GetItem', `${TABLE}2`), true);
});

test('each operator compares as named', () => {
  const key = { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/Maker', stage: 'Prod', on: 'true' };
  const cases: [string, Record<string, string | string[] | boolean>, boolean][] = [
    ['StringEquals', { stage: ['Test', 'Prod'] }, true],
    ['StringEquals', { stage: 'prod' }, false],
    ['StringEquals', { STAGE: 'Prod' }, true],
    ['StringNotEquals', { stage: ['Test', 'Prod'] }, false],
    ['StringNotEquals', { stage: ['Test', 'Dev'] }, true],
    ['StringEqualsIgnoreCase', { stage: 'prod' }, true],
    ['StringLike', { stage: 'P*d' }, true],
    ['StringLike', { stage: 'P.*d' }, false],
    ['StringNotLike', { stage: 'P???' }, false],
    ['Bool', { on: true }, true],
    ['Bool', { on: 'false' }, false],
    ['ArnLike', { 'aws:PrincipalArn': 'arn:aws:iam::*:role/M*' }, true],
    ['ArnEquals', { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/Make' }, false],
    ['ArnNotLike', { 'aws:PrincipalArn': 'arn:aws:iam::*:role/M*' }, false],
    ['Null', { stage: 'false', absent: 'true' }, true],
    ['Null', { stage: 'true' }, false],
  ];
  for (const [operator, keys, expected] of cases) {
    assert.equal(allowed(when({ [operator]: keys }), key), expected, `${operator} ${JSON.stringify(keys)}`);
  }
});

test('a missing key fails, but for negated and IfExists operators', () => {
  assert.equal(allowed(when({ StringEquals: { k: 'v' } })), false);
  assert.equal(allowed(when({ Bool: { k: 'false' } })), false);
  assert.equal(allowed(when({ StringNotEquals: { k: 'v' } })), true);
  assert.equal(allowed(when({ StringEqualsIfExists: { k: 'v' } })), true);
  assert.equal(allowed(when({ StringEqualsIfExists: { k: 'v' } }), { k: 'w' }), false);
});

test('sets hold for all values or for any', () => {
  const all = when({ 'ForAllValues:StringEquals': { k: ['a', 'b'] } });
  assert.equal(allowed(all), true);
  assert.equal(allowed(all, { k: ['a'] }), true);
  assert.equal(allowed(all, { k: ['a', 'c'] }), false);
  const any = when({ 'ForAnyValue:StringLike': { k: ['a*'] } });
  assert.equal(allowed(any), false);
  assert.equal(allowed(any, { k: ['x', 'ab'] }), true);
  assert.equal(allowed(any, { k: ['x'] }), false);
  const none = when({ 'ForAllValues:StringNotEquals': { k: ['secret'] } });
  assert.equal(allowed(none, { k: ['a', 'b'] }), true);
  assert.equal(allowed(none, { k: ['a', 'secret'] }), false);
});

test('several values under an operator for one are refused, in Allow and in Deny', () => {
  const condition = { StringEquals: { k: 'a' } };
  assert.equal(allowed(when(condition), { k: ['a', 'b'] }), false);
  const deny: Statement = { Effect: 'Deny', Action: '*', Resource: '*', Condition: condition };
  assert.equal(allowed([allow('*', '*'), deny], { k: ['b', 'c'] }), false);
});

test('what is not understood is refused aloud', () => {
  const refused: [object, RegExp][] = [
    [when({ NumericLessThan: { k: '1' } }), /unknown condition operator NumericLessThan/],
    [when({ 'ForSome:StringEquals': { k: '1' } }), /unknown condition operator/],
    [when({ NullIfExists: { k: 'true' } }), /unknown condition operator/],
    [when({ toString: { k: '1' } }), /unknown condition operator/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM's own notation for a policy variable.
    [when({ StringEquals: { k: '${aws:username}' } }), /policy variables/],
    [allow('*', 'arn:aws:dynamodb'), /incomplete ARN/],
    [{ Effect: 'Allow', Action: '*', Resource: '*', NotPrincipal: '*' }, /unknown element NotPrincipal/],
    [{ Effect: 'allow', Action: '*', Resource: '*' }, /Effect/],
    [{ Effect: 'Allow', Resource: '*' }, /Action/],
  ];
  for (const [statement, message] of refused) {
    assert.throws(() => checkStatements([statement as Statement]), { name: 'PolicyError', message });
    assert.throws(() => allowed(statement as Statement), { name: 'PolicyError' });
  }
});
