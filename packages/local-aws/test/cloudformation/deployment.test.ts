import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Deployment, readDeployment } from '../../src/cloudformation/deployment.ts';
import { scratchFolder, writeAssembly } from '../../testing/assembly.ts';

const root = scratchFolder('template');
after(() => rmSync(root, { recursive: true }));

let count = 0;
function read(templates: Record<string, object>, data = `data-${count++}`): Deployment {
  mkdirSync(join(root, data), { recursive: true });
  return readDeployment({
    assembly: writeAssembly(join(root, `assembly-${count++}`), templates),
    region: 'us-east-1',
    account: '000000000000',
    folder: join(root, data),
  });
}

/** What a value in a template resolves to, beside a table and a key. */
function resolved(value: unknown, more: object = {}): unknown {
  return read({
    Stack: {
      Resources: {
        Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'the-table' } },
        Probe: { Type: 'Custom::Trigger', Properties: { value } },
      },
      ...more,
    },
  }).resources('Custom::Trigger')[0]?.properties['value'];
}

test('intrinsic functions resolve as CloudFormation does it', () => {
  const tableArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/the-table';
  assert.equal(resolved({ Ref: 'Table' }), 'the-table');
  assert.equal(resolved({ 'Fn::GetAtt': ['Table', 'Arn'] }), tableArn);
  assert.equal(resolved({ 'Fn::GetAtt': 'Table.Arn' }), tableArn);
  assert.equal(resolved({ 'Fn::Join': ['', ['a', { Ref: 'Table' }, 1]] }), 'athe-table1');
  assert.equal(
    resolved({ 'Fn::Sub': `\${AWS::Region}/\${Table}/\${Table.Arn}/\${!Literal}` }),
    `us-east-1/the-table/${tableArn}/\${Literal}`,
  );
  assert.equal(resolved({ 'Fn::Sub': [`\${x}`, { x: { Ref: 'AWS::AccountId' } }] }), '000000000000');
  assert.equal(resolved({ 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'Table' }] }] }), 'table');
  assert.deepEqual(resolved(['a', { Ref: 'AWS::NoValue' }, 'b']), ['a', 'b']);
  assert.deepEqual(resolved({ a: { Ref: 'AWS::NoValue' }, b: 1 }), { b: 1 });
});

test('conditions, mappings and parameters are looked up', () => {
  const more = {
    Conditions: {
      Here: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      There: { 'Fn::Not': [{ Condition: 'Here' }] },
      Both: { 'Fn::And': [{ Condition: 'Here' }, { Condition: 'There' }] },
      Either: { 'Fn::Or': [{ Condition: 'Here' }, { Condition: 'There' }] },
    },
    Mappings: { Sizes: { 'us-east-1': { memory: 128 } } },
    Parameters: { Given: { Type: 'String', Default: 'default' } },
  };
  for (const [condition, expected] of Object.entries({ Here: 1, There: 2, Both: 2, Either: 1 })) {
    assert.equal(resolved({ 'Fn::If': [condition, 1, 2] }, more), expected, condition);
  }
  assert.equal(resolved({ 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'memory'] }, more), 128);
  assert.equal(resolved({ Ref: 'Given' }, more), 'default');
});

test('a resource whose condition does not hold is not there', () => {
  const deployment = read({
    Stack: {
      Conditions: { Never: { 'Fn::Equals': [1, 2] } },
      Resources: { Key: { Type: 'AWS::KMS::Key', Condition: 'Never', Properties: {} } },
    },
  });
  assert.deepEqual(deployment.resources('AWS::KMS::Key'), []);
});

test('stacks refer to each other by exports and by outputs', () => {
  const deployment = read({
    Data: {
      Resources: { Key: { Type: 'AWS::KMS::Key', Properties: {} } },
      Outputs: { KeyArn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] }, Export: { Name: 'Data:KeyArn' } } },
    },
    Api: {
      Resources: {
        Probe: {
          Type: 'Custom::Trigger',
          Properties: {
            strong: { 'Fn::ImportValue': 'Data:KeyArn' },
            weak: { 'Fn::GetStackOutput': { StackName: 'Data', OutputName: 'KeyArn' } },
          },
        },
      },
    },
  });
  const arn = deployment.resources('AWS::KMS::Key')[0]?.attribute('Arn');
  assert.match(String(arn), /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/);
  assert.deepEqual(deployment.resources('Custom::Trigger')[0]?.properties, { strong: arn, weak: arn });
});

test('physical ids stay the same over restarts, and differ between data folders', () => {
  const template = {
    Stack: {
      Resources: {
        Pool: { Type: 'AWS::Cognito::UserPool', Properties: {} },
        Table: { Type: 'AWS::DynamoDB::Table', Properties: {} },
      },
    },
  };
  const ids = (data: string) => {
    const deployment = read(template, data);
    return ['AWS::Cognito::UserPool', 'AWS::DynamoDB::Table'].map(
      (type) => deployment.resources(type)[0]?.ref,
    );
  };
  const first = ids('one');
  assert.match(String(first[0]), /^us-east-1_[A-Za-z0-9]{9}$/);
  assert.match(String(first[1]), /^Stack-Table-[a-z0-9]{12}$/);
  assert.deepEqual(ids('one'), first);
  assert.notDeepEqual(ids('other'), first);
});

test('what is not known is an error that names it', () => {
  const faults: [unknown, RegExp][] = [
    [{ 'Fn::Base64': 'a' }, /Template of Stack: unknown intrinsic function Fn::Base64/],
    [{ Ref: 'Nobody' }, /Ref of Nobody, which is nothing known/],
    [{ 'Fn::GetAtt': ['Nobody', 'Arn'] }, /Fn::GetAtt of Nobody, which is no resource/],
    [{ 'Fn::GetAtt': ['Table', 'StreamArn'] }, /attribute StreamArn of Table \(AWS::DynamoDB::Table\)/],
    [{ 'Fn::ImportValue': 'Nowhere' }, /imports Nowhere, which no stack exports/],
    [{ 'Fn::If': ['Maybe', 1, 2] }, /unknown condition Maybe/],
    [{ 'Fn::Select': [3, ['a']] }, /Fn::Select beyond its list/],
  ];
  for (const [value, expected] of faults) assert.throws(() => resolved(value), expected);
  assert.throws(
    () => read({ Stack: { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } } }),
    /Queue is a AWS::SQS::Queue, a type not known here/,
  );
});

test('a reference in a circle is an error, not an endless loop', () => {
  const Resources = {
    A: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: { Ref: 'B' } } },
    B: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: { Ref: 'A' } } },
  };
  assert.throws(() => read({ Stack: { Resources } }), /Stack\/A\.TableName refers to itself/);
});
