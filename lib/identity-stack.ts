import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AccountRecovery,
  FeaturePlan,
  type IUserPool,
  type IUserPoolClient,
  Mfa,
  UserPool,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { createAppsClient, createLoginClient } from './app-clients.ts';
import type { Bundle } from './bundle.ts';
import { CountersignTriggers } from './cognito-triggers.ts';
import type { Config } from './config.ts';
import type { KeyringTargets } from './grants.ts';
import { acknowledgeUserPool } from './nag.ts';

export interface IdentityStackProps extends StackProps, KeyringTargets {
  config: Config;
  /** From bundleFunctions. */
  bundles: Record<string, Bundle>;
}

/**
 * The first factor: a Cognito pool, new or existing, and two app clients for it. The triggers ask for the
 * second factor in Cognito's own sign-in.
 */
export class IdentityStack extends Stack {
  readonly userPool: IUserPool;
  readonly loginClient: IUserPoolClient;
  readonly appsClient: IUserPoolClient;

  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    const { config } = props;
    const retain = config.removal === 'retain';
    super(scope, id, {
      description: 'Countersign: user pool and app clients',
      terminationProtection: retain,
      ...props,
    });
    const triggers = new CountersignTriggers(this, 'Cognito', {
      ...props,
      settings: config,
      memory: config.memory,
      logRetentionDays: config.logRetentionDays,
      removalPolicy: retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    if (config.userPool) {
      this.userPool = UserPool.fromUserPoolId(this, 'UserPool', config.userPool.id);
      triggers.permit(this.userPool);
      for (const [name, { functionArn: value }] of triggers.functions) {
        new CfnOutput(this, `Trigger${name}`, {
          value,
          description: `For ${name} in the pool's LambdaConfig`,
        });
      }
    } else {
      const userPool = createUserPool(this, 'UserPool', retain);
      triggers.attachTo(userPool);
      this.userPool = userPool;
    }
    const writable = config.userPool?.writableAttributes;
    this.loginClient = createLoginClient(this, 'LoginClient', this.userPool, writable);
    this.appsClient = createAppsClient(this, 'AppsClient', this.userPool, writable);
  }
}

function createUserPool(scope: Construct, id: string, retain: boolean): UserPool {
  const userPool = new UserPool(scope, id, {
    selfSignUpEnabled: false,
    signInAliases: { username: true, email: true },
    signInCaseSensitive: false,
    // No attribute is required: every client may write those, and a stolen token must not change the address.
    keepOriginal: { email: true },
    passwordPolicy: {
      minLength: 12,
      requireLowercase: true,
      requireUppercase: true,
      requireDigits: true,
      requireSymbols: true,
      tempPasswordValidity: Duration.days(3),
    },
    accountRecovery: AccountRecovery.EMAIL_ONLY,
    // The pool's own second factor would come before ours, and it has no backup codes.
    mfa: Mfa.OFF,
    featurePlan: FeaturePlan.ESSENTIALS,
    deletionProtection: retain,
    removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  acknowledgeUserPool(userPool);
  return userPool;
}
