import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { ownApp } from '../../docs/own-pool-example.ts';
import { triggers } from '../../functions/routes.ts';
import { contextWith, idOf, ofType, one, plain, type Template } from '../lib/synthesize.ts';

process.env['CDK_VALIDATION'] = 'false';
const assembly = ownApp(new App({ context: contextWith({}) })).synth();
const templateOf = (name: string): Template => assembly.getStackByName(name).template;

test('the example of your own pool sets every trigger, and its stacks have no circular dependency', () => {
  const users = templateOf('Users');
  const { LambdaConfig } = one(users, 'AWS::Cognito::UserPool', 'Pool').Properties;
  assert.deepEqual(
    Object.keys(LambdaConfig as object).sort(),
    Object.values(triggers)
      .map(({ lambdaConfig }) => lambdaConfig)
      .sort(),
  );
  assert.equal(ofType(users, 'AWS::Events::Rule').length, 1);
  const order = assembly.stacks.map(({ stackName }) => stackName);
  assert.deepEqual(order, ['CountersignData', 'CountersignCognito', 'Users', 'CountersignApi']);
});

test('the example’s API checks passwords with the pool and trusts the tokens of the apps client', () => {
  const [api, users] = [templateOf('CountersignApi'), templateOf('Users')];
  const { Environment } = one(api, 'AWS::Lambda::Function', 'LoginFunction').Properties;
  const { Variables } = plain(Environment, [users, templateOf('CountersignData')]) as {
    Variables: Record<string, string>;
  };
  const client = (name: string) => `<${idOf(users, 'AWS::Cognito::UserPoolClient', name)}>`;
  assert.equal(Variables['LOGIN_CLIENT_ID'], client('LoginClient'));
  const [pool] = JSON.parse(Variables['TRUSTED_ISSUERS'] ?? '');
  assert.deepEqual(pool.clientIds, [client('AppsClient')]);
});
