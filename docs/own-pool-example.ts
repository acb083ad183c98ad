/**
 * A CDK app with a user pool of your own, with Countersign's triggers in its sign-in and Countersign's API
 * beside it. Put the file into a checkout of Countersign, and name it under "app" in cdk.json.
 */
import { App, Stack } from 'aws-cdk-lib';
import { FeaturePlan, Mfa, UserPool } from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { ApiStack } from '../lib/api-stack.ts';
import { createAppsClient, createLoginClient } from '../lib/app-clients.ts';
import { bundleFunctions } from '../lib/bundle.ts';
import { CountersignTriggers } from '../lib/cognito-triggers.ts';
import { readConfig } from '../lib/config.ts';
import { DataStack } from '../lib/data-stack.ts';

/** Your own stack. Its pool needs MFA off, and a plan that has version 2 of the token trigger. */
class UsersStack extends Stack {
  readonly userPool: UserPool;
  readonly loginClient;
  readonly appsClient;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.userPool = new UserPool(this, 'Pool', {
      signInAliases: { email: true },
      mfa: Mfa.OFF,
      featurePlan: FeaturePlan.ESSENTIALS,
    });
    this.loginClient = createLoginClient(this, 'LoginClient', this.userPool);
    this.appsClient = createAppsClient(this, 'AppsClient', this.userPool);
  }
}

export function ownApp(app = new App()): App {
  const config = readConfig(app.node.tryGetContext('countersign'));
  const bundles = bundleFunctions();
  const { table, tableKey, keyringKey, keyringStack } = new DataStack(app, 'CountersignData', {
    config,
    bundles,
  });
  const keyring = { table, tableKey, keyringKey, keyringStack };

  const users = new UsersStack(app, 'Users');
  const triggers = new CountersignTriggers(new Stack(app, 'CountersignCognito'), 'Cognito', {
    bundles,
    settings: config,
    ...keyring,
  });
  triggers.attachTo(users.userPool);

  const { userPool, loginClient, appsClient } = users;
  new ApiStack(app, 'CountersignApi', {
    config,
    bundles,
    ...keyring,
    userPool,
    loginClient,
    appsClient,
  });
  return app;
}

if (import.meta.main) ownApp().synth();
