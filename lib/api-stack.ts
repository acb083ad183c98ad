import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AuthorizationType,
  type CfnRestApi,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  type Method,
  MethodLoggingLevel,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type Route, routes } from '../functions/routes.ts';
import { accessLogFormat } from './access-log.ts';
import type { Bundle } from './bundle.ts';
import type { Config } from './config.ts';
import { type OperationContext, operationEnvironment } from './environment-of.ts';
import { Firewall } from './firewall.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { statementsFor, withEnrollmentDays } from './grants.ts';
import { acknowledgeApi, acknowledgeMethod } from './nag.ts';
import { OperationFunction } from './operation-function.ts';
import { pascalCase } from './pascal-case.ts';
import { ClientKeys, stageThrottle, UsagePlans } from './usage-plans.ts';

export interface ApiStackProps extends StackProps, OperationContext {
  /** From bundleFunctions. */
  bundles: Record<string, Bundle>;
  /** Encrypts the table. */
  tableKey: IKey;
}

/** The API's one stage. It stands in the URL, until a custom domain takes its place. */
const STAGE = 'prod';

/** A REST API with a function for each operation of functions/routes.ts. */
export class ApiStack extends Stack {
  readonly api: RestApi;
  /** `iss` of own tokens. */
  readonly issuer: string;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, { description: 'Countersign: REST API', ...props });
    const { config, bundles } = props;
    const removalPolicy =
      config.removal === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    const { logRetentionDays: retention, memory, cors } = config;

    this.api = createApi(this, config, removalPolicy);
    addGatewayResponses(this.api, cors.origins);
    // From the API's id, not from the stage: that waits for the methods, they for the functions, and these need it.
    const stageUrl = `https://${this.api.restApiId}.execute-api.${this.region}.${this.urlSuffix}/${STAGE}`;
    this.issuer = config.issuer ?? stageUrl;
    const clientKeys = new ClientKeys(this, 'Clients', { clients: config.clients });
    const environment = operationEnvironment(this, props, this.issuer, clientKeys.clientNames());

    const guessable: Method[] = [];
    const table: [string, Route][] = Object.entries(routes);
    for (const [operation, route] of table) {
      const bundle = bundles[operation];
      if (!bundle) throw new Error(`There is no bundle of functions/${operation}.ts.`);
      const { function: handler } = new OperationFunction(this, pascalCase(operation), {
        operation,
        bundle,
        environment,
        statements: statementsFor(withEnrollmentDays(route, config), {
          ...props,
          globalSignOut: config.globalSignOut,
        }),
        memory,
        logRetentionDays: retention,
        removalPolicy,
      });
      const method = this.api.root
        .resourceForPath(route.path)
        .addMethod(route.method, new LambdaIntegration(handler, { allowTestInvoke: false }), {
          operationName: operation,
          apiKeyRequired: route.caller !== 'open',
          authorizationType: route.caller === 'iam' ? AuthorizationType.IAM : AuthorizationType.NONE,
        });
      acknowledgeMethod(method, route);
      if (route.guessable) guessable.push(method);
    }
    addPreflights(this.api, table, cors.origins);
    new UsagePlans(this, 'Plans', {
      plans: config.plans,
      stage: this.api.deploymentStage,
      clientKeys,
      guessable,
    });
    if (config.firewall) {
      new Firewall(this, 'Firewall', { stage: this.api.deploymentStage, limits: config.firewall });
    }
    acknowledgeApi(this.api, { firewall: config.firewall !== undefined });

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('ApiUrl', stageUrl, 'Where the API is; the paths come behind it');
    output('Issuer', this.issuer, 'iss of the tokens');
    output('UserPoolId', props.userPool.userPoolId, 'The Cognito pool');
    output('LoginClientId', props.loginClient.userPoolClientId, 'The app client that checks passwords');
    output('AppsClientId', props.appsClient.userPoolClientId, 'The app client for apps on Cognito');
    for (const { client, name, plan, key } of clientKeys.keys) {
      output(
        pascalCase(`api-key-id-${client}-${name}`),
        key.keyId,
        `Id of the API key ${name} of client ${client}, on the plan ${plan}`,
      );
    }
  }
}

function createApi(scope: Construct, config: Config, removalPolicy: RemovalPolicy): RestApi {
  const retention = config.logRetentionDays;
  const throttle = stageThrottle(config);
  const accessLog = new LogGroup(scope, 'AccessLog', { retention, removalPolicy });
  const api = new RestApi(scope, 'Api', {
    restApiName: config.name,
    endpointTypes: [EndpointType.REGIONAL],
    cloudWatchRole: config.cloudWatchRole,
    ...(config.cloudWatchRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
    deployOptions: {
      stageName: STAGE,
      throttlingRateLimit: throttle.rate,
      throttlingBurstLimit: throttle.burst,
      metricsEnabled: true,
      // Faults of the gateway itself. No bodies: dataTraceEnabled would write passwords and codes.
      loggingLevel: MethodLoggingLevel.ERROR,
      dataTraceEnabled: false,
      accessLogDestination: new LogGroupLogDestination(accessLog),
      accessLogFormat,
    },
  });
  // By default a Regional endpoint takes TLS 1.0. RestApi has no property for it. STRICT: by no endpoint of another kind.
  const cfnApi = api.node.defaultChild as CfnRestApi;
  cfnApi.securityPolicy = 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09';
  cfnApi.endpointAccessMode = 'STRICT';
  // The output it makes of itself says what ApiUrl says.
  api.node.tryRemoveChild('Endpoint');
  // API Gateway would make this group itself, and keep it for ever.
  const executionLog = new LogGroup(scope, 'ExecutionLog', {
    logGroupName: `API-Gateway-Execution-Logs_${api.restApiId}/${STAGE}`,
    retention,
    removalPolicy,
  });
  api.deploymentStage.node.addDependency(executionLog);
  return api;
}

/** Preflights for what a browser may call. Operations under IAM are for backends and have none. */
function addPreflights(api: RestApi, table: [string, Route][], origins: string[]): void {
  if (origins.length === 0) return;
  const methods = new Map<string, string[]>();
  for (const [, { path, method, caller }] of table) {
    if (caller !== 'iam') methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, allowMethods] of methods) {
    api.root.resourceForPath(path).addCorsPreflight({
      allowOrigins: origins,
      allowMethods,
      allowHeaders: ['authorization', 'content-type', 'x-api-key'],
      maxAge: Duration.hours(1),
    });
  }
}
