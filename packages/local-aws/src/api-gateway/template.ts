import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import { type GatewayResponse, readGatewayResponse } from './gateway-response.ts';
import { type MockIntegration, readMock } from './mock.ts';

/** One REST API and its stage, as its resources in the template describe it. */
export interface Api {
  id: string;
  region: string;
  account: string;
  stage: string;
  deploymentId: string;
  methods: Method[];
  /** By response type. */
  responses: Map<string, GatewayResponse>;
  /** The format of its access log's lines, if it keeps one. */
  accessLog?: string;
  /** The stage's own limit for each method: the key is `<path>/<method>`, `*` in either for all. */
  throttles: Map<string, Throttle>;
  keys: ApiKey[];
  plans: UsagePlan[];
}

export interface Method {
  httpMethod: string;
  resourceId: string;
  /** As in `/v1/admin/users/{userId}`. */
  resourcePath: string;
  authorization: 'NONE' | 'AWS_IAM';
  apiKeyRequired: boolean;
  integration:
    | { type: 'lambda'; functionArn: string; timeoutMs: number }
    | ({ type: 'mock' } & MockIntegration);
}

/** A token bucket: requests a second, and how many at once. */
export interface Throttle {
  rate: number;
  burst: number;
}

export interface ApiKey {
  id: string;
  name: string;
  enabled: boolean;
}

export interface UsagePlan {
  id: string;
  name: string;
  keyIds: Set<string>;
  throttle?: Throttle;
  /** `<path>/<method>` → the limit that takes the plan's place there. */
  methods: Map<string, Throttle>;
  quota?: { limit: number; period: 'DAY' | 'WEEK' | 'MONTH' };
}

/**
 * Reads the deployment's REST API.
 *
 * @throws Error that names the resource and the property this gateway does not act on.
 */
export function readApi(deployment: Deployment): Api {
  const [restApi, ...others] = deployment.resources('AWS::ApiGateway::RestApi');
  const [stage, ...otherStages] = deployment.resources('AWS::ApiGateway::Stage');
  if (!restApi || others.length > 0) throw new Error('The deployment needs exactly one REST API.');
  if (!stage || otherStages.length > 0) throw new Error('The REST API needs exactly one stage.');
  known(restApi, restApi.properties, [
    'Name',
    'Description',
    'ApiKeySourceType',
    'EndpointConfiguration',
    'DisableExecuteApiEndpoint',
    // These are about TLS, which loopback does not use.
    'SecurityPolicy',
    'EndpointAccessMode',
    'Tags',
  ]);
  known(stage, stage.properties, [
    'AccessLogSetting',
    'DeploymentId',
    'Description',
    'MethodSettings',
    'RestApiId',
    'StageName',
    'Tags',
    'TracingEnabled',
  ]);
  const keySource = restApi.properties['ApiKeySourceType'] ?? 'HEADER';
  if (keySource !== 'HEADER')
    throw new Error(`${restApi.logicalId}: API keys from ${keySource} are not known here.`);

  const accessLog = (stage.properties['AccessLogSetting'] as { Format?: string } | undefined)?.Format;
  const paths = resourcePaths(restApi, deployment.resources('AWS::ApiGateway::Resource'));
  return {
    id: restApi.ref,
    region: deployment.region,
    account: deployment.account,
    stage: stage.ref,
    deploymentId: String(stage.properties['DeploymentId']),
    methods: deployment.resources('AWS::ApiGateway::Method').map((method) => readMethod(method, paths)),
    responses: new Map(deployment.resources('AWS::ApiGateway::GatewayResponse').map(readGatewayResponse)),
    ...(accessLog === undefined ? {} : { accessLog }),
    throttles: stageThrottles(stage),
    keys: deployment.resources('AWS::ApiGateway::ApiKey').map((key) => ({
      id: key.ref,
      name: String(key.properties['Name'] ?? key.logicalId),
      enabled: key.properties['Enabled'] === true,
    })),
    plans: readPlans(deployment, restApi.ref, stage.ref),
  };
}

/** Resource id → path, the root's included. */
function resourcePaths(restApi: Resource, resources: Resource[]): Map<string, string> {
  const byId = new Map(resources.map((resource) => [resource.ref, resource]));
  const root = restApi.attribute('RootResourceId');
  const pathOf = (id: string): string => {
    if (id === root) return '';
    const resource = byId.get(id);
    if (!resource) throw new Error(`No resource ${id} in the REST API.`);
    const part = String(resource.properties['PathPart']);
    if (part.endsWith('+}')) throw new Error(`${resource.logicalId}: greedy path ${part} is not known here.`);
    return `${pathOf(String(resource.properties['ParentId']))}/${part}`;
  };
  return new Map([[root, '/'], ...resources.map(({ ref }): [string, string] => [ref, pathOf(ref)])]);
}

function readMethod(method: Resource, paths: Map<string, string>): Method {
  const { properties } = method;
  known(method, properties, [
    'ApiKeyRequired',
    'AuthorizationType',
    'HttpMethod',
    'Integration',
    'MethodResponses',
    'OperationName',
    'ResourceId',
    'RestApiId',
  ]);
  const authorization = properties['AuthorizationType'] ?? 'NONE';
  if (authorization !== 'NONE' && authorization !== 'AWS_IAM') {
    throw new Error(`${method.logicalId}: authorization ${authorization} is not known here.`);
  }
  const resourceId = String(properties['ResourceId']);
  const resourcePath = paths.get(resourceId);
  if (resourcePath === undefined) throw new Error(`${method.logicalId}: no resource ${resourceId}.`);
  return {
    httpMethod: String(properties['HttpMethod']),
    resourceId,
    resourcePath,
    authorization,
    apiKeyRequired: properties['ApiKeyRequired'] === true,
    integration: readIntegration(method),
  };
}

function readIntegration(method: Resource): Method['integration'] {
  const integration = (method.properties['Integration'] ?? {}) as Record<string, unknown>;
  if (integration['Type'] === 'MOCK') return { type: 'mock', ...readMock(method, integration) };
  if (integration['Type'] !== 'AWS_PROXY') {
    throw new Error(`${method.logicalId}: integration ${integration['Type']} is not known here.`);
  }
  known(method, integration, ['IntegrationHttpMethod', 'TimeoutInMillis', 'Type', 'Uri']);
  const uri = String(integration['Uri']);
  const [, functionArn] = /:lambda:path\/2015-03-31\/functions\/(.+)\/invocations$/.exec(uri) ?? [];
  // Lambda's Invoke is a POST, whatever the method of the API.
  if (functionArn === undefined || integration['IntegrationHttpMethod'] !== 'POST') {
    throw new Error(`${method.logicalId}: the integration does not invoke a function: ${uri}`);
  }
  return { type: 'lambda', functionArn, timeoutMs: Number(integration['TimeoutInMillis'] ?? 29_000) };
}

function stageThrottles(stage: Resource): Map<string, Throttle> {
  const throttles = new Map<string, Throttle>();
  for (const settings of (stage.properties['MethodSettings'] ?? []) as Record<string, unknown>[]) {
    known(stage, settings, [
      'DataTraceEnabled',
      'HttpMethod',
      'LoggingLevel',
      'MetricsEnabled',
      'ResourcePath',
      'ThrottlingBurstLimit',
      'ThrottlingRateLimit',
    ]);
    const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = settings;
    if (rate === undefined && burst === undefined) continue;
    // A slash within the path is written ~1 here.
    const path = String(settings['ResourcePath'])
      .replace(/^\/(?=\*$|~1)/, '')
      .replaceAll('~1', '/');
    throttles.set(`${path}/${settings['HttpMethod']}`, {
      rate: Number(rate ?? Number.POSITIVE_INFINITY),
      burst: Number(burst ?? Number.POSITIVE_INFINITY),
    });
  }
  return throttles;
}

function readPlans(deployment: Deployment, apiId: string, stage: string): UsagePlan[] {
  const members = deployment.resources('AWS::ApiGateway::UsagePlanKey').map(({ properties }) => ({
    planId: String(properties['UsagePlanId']),
    keyId: String(properties['KeyId']),
  }));
  return deployment.resources('AWS::ApiGateway::UsagePlan').flatMap((plan): UsagePlan[] => {
    const { properties } = plan;
    known(plan, properties, ['ApiStages', 'Description', 'Quota', 'Tags', 'Throttle', 'UsagePlanName']);
    const stages = (properties['ApiStages'] ?? []) as {
      ApiId: string;
      Stage: string;
      Throttle?: Record<string, unknown>;
    }[];
    const own = stages.find((candidate) => candidate.ApiId === apiId && candidate.Stage === stage);
    if (!own) return [];
    const throttle = readThrottle(properties['Throttle']);
    const methods = Object.entries(own.Throttle ?? {}).flatMap(([name, value]): [string, Throttle][] => {
      const limit = readThrottle(value);
      return limit ? [[name, limit]] : [];
    });
    return [
      {
        id: plan.ref,
        name: String(properties['UsagePlanName'] ?? plan.logicalId),
        keyIds: new Set(members.filter(({ planId }) => planId === plan.ref).map(({ keyId }) => keyId)),
        ...(throttle ? { throttle } : {}),
        methods: new Map(methods),
        ...readQuota(plan),
      },
    ];
  });
}

function readThrottle(value: unknown): Throttle | undefined {
  if (value === undefined) return undefined;
  const { RateLimit, BurstLimit } = value as { RateLimit?: number; BurstLimit?: number };
  return {
    rate: Number(RateLimit ?? Number.POSITIVE_INFINITY),
    burst: Number(BurstLimit ?? Number.POSITIVE_INFINITY),
  };
}

function readQuota(plan: Resource): Pick<UsagePlan, 'quota'> {
  const quota = plan.properties['Quota'] as { Limit?: number; Period?: string; Offset?: number } | undefined;
  if (quota?.Limit === undefined) return {};
  const { Period: period } = quota;
  if (quota.Offset || (period !== 'DAY' && period !== 'WEEK' && period !== 'MONTH')) {
    throw new Error(`${plan.logicalId}: quota ${JSON.stringify(quota)} is not known here.`);
  }
  return { quota: { limit: Number(quota.Limit), period } };
}
