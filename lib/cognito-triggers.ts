import { Duration, Names, RemovalPolicy } from 'aws-cdk-lib';
import { type IUserPool, LambdaVersion, type UserPool, UserPoolOperation } from 'aws-cdk-lib/aws-cognito';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { CfnPolicy, PolicyDocument, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Settings } from '../core/settings.ts';
import { type Listener, listeners, type Trigger, triggers } from '../functions/routes.ts';
import type { Bundle } from './bundle.ts';
import { type KeyringTargets, signOutStatement, tableStatements, withEnrollmentDays } from './grants.ts';
import { OperationFunction } from './operation-function.ts';
import { pascalCase } from './pascal-case.ts';
import { settingsOf } from './settings-of.ts';

export interface CountersignTriggersProps extends KeyringTargets {
  /** From bundleFunctions. */
  bundles: Record<string, Bundle>;
  /** Those of the rest of the deployment: the triggers read the record under `realm` and `limits`. */
  settings: Settings;
  /**
   * Memory of each function, in MB.
   * @default 512
   */
  memory?: number;
  /** @default RetentionDays.THREE_MONTHS */
  logRetentionDays?: RetentionDays;
  /**
   * What happens to the logs when the functions are deleted.
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
   */
  removalPolicy?: RemovalPolicy;
}

/** Cognito abandons a trigger after 5 s and calls it again. The first call must have ended by then. */
const TRIGGER_TIMEOUT = Duration.seconds(4);

const OPERATIONS: Record<Trigger['lambdaConfig'], UserPoolOperation> = {
  DefineAuthChallenge: UserPoolOperation.DEFINE_AUTH_CHALLENGE,
  CreateAuthChallenge: UserPoolOperation.CREATE_AUTH_CHALLENGE,
  VerifyAuthChallengeResponse: UserPoolOperation.VERIFY_AUTH_CHALLENGE_RESPONSE,
  PreTokenGenerationConfig: UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
  PostConfirmation: UserPoolOperation.POST_CONFIRMATION,
};

/**
 * The second factor in Cognito's own sign-in. Creates a function for each entry of `triggers` in
 * functions/routes.ts, and one for each of `listeners`, which handle administrator actions on the pool. One
 * set of functions serves any number of pools of one realm.
 *
 * docs/own-pool-example.ts is a whole app that uses it.
 */
export class CountersignTriggers extends Construct {
  private readonly operations: { trigger: Trigger; operation: OperationFunction }[];
  private readonly listeners: { name: string; listener: Listener; operation: OperationFunction }[];
  private readonly endsSessions: boolean;

  constructor(scope: Construct, id: string, props: CountersignTriggersProps) {
    super(scope, id);
    this.endsSessions = props.settings.globalSignOut;
    this.operations = Object.entries<Trigger>(triggers).map(([name, trigger]) => ({
      trigger,
      operation: this.createFunction(
        name,
        withEnrollmentDays(trigger, props.settings),
        TRIGGER_TIMEOUT,
        props,
      ),
    }));
    this.listeners = Object.entries<Listener>(listeners).map(([name, listener]) => ({
      name: nameOf(name),
      listener,
      operation: this.createFunction(name, listener, Duration.seconds(listener.timeout), props),
    }));
  }

  /**
   * Sets the functions in the LambdaConfig of a pool that is defined in CDK, in this stack or another one.
   *
   * @throws Error if the pool already has one of these triggers
   */
  attachTo(userPool: UserPool): void {
    for (const { trigger, operation } of this.operations) {
      // This permits the invocation too, by a resource of the pool's stack. It depends on the pool only.
      userPool.addTrigger(
        OPERATIONS[trigger.lambdaConfig],
        operation.function,
        trigger.lambdaConfig === 'PreTokenGenerationConfig' ? LambdaVersion.V2_0 : undefined,
      );
    }
    this.grantSignOut(userPool);
    this.listenTo(userPool);
  }

  /**
   * Lets a pool that is not defined in CDK invoke the functions. Does not change the pool: `npm run attach`
   * sets its LambdaConfig.
   */
  permit(userPool: IUserPool): void {
    for (const { trigger, operation } of this.operations) {
      operation.function.addPermission(`${trigger.lambdaConfig}Cognito`, {
        principal: new ServicePrincipal('cognito-idp.amazonaws.com'),
        sourceArn: userPool.userPoolArn,
        scope: userPool,
      });
    }
    this.grantSignOut(userPool);
    this.listenTo(userPool);
  }

  /** The functions, by their names in LambdaConfig. */
  get functions(): Map<Trigger['lambdaConfig'], IFunction> {
    return new Map(
      this.operations.map(({ trigger, operation }) => [trigger.lambdaConfig, operation.function]),
    );
  }

  private createFunction(
    name: string,
    grants: Pick<Trigger, 'record' | 'keys'>,
    timeout: Duration,
    props: CountersignTriggersProps,
  ): OperationFunction {
    const bundle = props.bundles[name];
    if (!bundle) throw new Error(`There is no bundle of functions/${name}.ts.`);
    return new OperationFunction(this, nameOf(name), {
      operation: name,
      bundle,
      environment: environmentOf(grants, props),
      statements: tableStatements(grants, props),
      memory: props.memory ?? 512,
      logRetentionDays: props.logRetentionDays ?? RetentionDays.THREE_MONTHS,
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      timeout,
    });
  }

  /**
   * Invokes the listeners for administrator actions on this pool. CloudTrail records them, if the account has
   * a trail, and EventBridge invokes the function. The rule belongs to the pool's stack, which depends on the
   * functions' stack already.
   */
  private listenTo(userPool: IUserPool): void {
    for (const { name, listener, operation } of this.listeners) {
      const { functionArn: arn } = operation.function;
      const rule = new Rule(userPool, name, {
        description: `Countersign: ${listener.hears.join(', ')}`,
        eventPattern: {
          source: ['aws.cognito-idp'],
          detailType: ['AWS API Call via CloudTrail'],
          detail: {
            eventSource: ['cognito-idp.amazonaws.com'],
            eventName: [...listener.hears],
            requestParameters: { userPoolId: [userPool.userPoolId] },
            // A refused action has signed nobody out.
            errorCode: Match.doesNotExist(),
          },
        },
        targets: [{ bind: () => ({ arn }) }],
      });
      operation.function.addPermission(`${name}Events`, {
        principal: new ServicePrincipal('events.amazonaws.com'),
        sourceArn: rule.ruleArn,
        scope: userPool,
      });
    }
  }

  /**
   * Grants the sign-out by a policy resource of its own. The pool depends on the functions and they on their
   * roles, so no role's inline policy can name the pool.
   */
  private grantSignOut(userPool: IUserPool): void {
    if (!this.endsSessions) return;
    for (const { trigger, operation } of this.operations) {
      if (!trigger.signsOut) continue;
      new CfnPolicy(userPool, `${trigger.lambdaConfig}SignOut`, {
        // With one name for two pools, the second policy would replace the first.
        policyName: Names.uniqueResourceName(userPool, { maxLength: 128 }),
        policyDocument: new PolicyDocument({ statements: [signOutStatement(userPool)], minimize: false }),
        roles: [operation.role.roleName],
      });
    }
  }
}

/** Returns the construct's name for a function in functions/cognito. */
function nameOf(operation: string): string {
  return pascalCase(operation.replace('cognito/', ''));
}

/** Returns the variables that a function's file reads. The pool's id would be a cycle; every event has it. */
function environmentOf(
  { keys }: Pick<Trigger, 'keys'>,
  props: CountersignTriggersProps,
): Record<string, string> {
  return {
    TABLE_NAME: props.table.tableRef.tableName,
    SETTINGS: settingsOf(props.settings),
    ...(keys && { KEYRING_KEY_ARN: props.keyringKey.keyArn, KEYRING_STACK: props.keyringStack }),
  };
}
