/** Resources of a template: an API with every kind of method, key and plan that the tests of the gateway want. */
export const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
const restApi = { Ref: 'Api' };
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;
const resource = (parent: object, PathPart: string) => ({
  Type: 'AWS::ApiGateway::Resource',
  Properties: { RestApiId: restApi, ParentId: parent, PathPart },
});
export const method = (HttpMethod: string, ResourceId: object, more: object = {}) => ({
  Type: 'AWS::ApiGateway::Method',
  Properties: {
    RestApiId: restApi,
    HttpMethod,
    ResourceId,
    AuthorizationType: 'NONE',
    Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri },
    ...more,
  },
});
export const gatewayResponse = (ResponseType: string, more: object) => ({
  Type: 'AWS::ApiGateway::GatewayResponse',
  Properties: { RestApiId: restApi, ResponseType, ...more },
});
const key = (Enabled: boolean) => ({ Type: 'AWS::ApiGateway::ApiKey', Properties: { Enabled } });
const inPlan = (plan: string, id: string) => ({
  Type: 'AWS::ApiGateway::UsagePlanKey',
  Properties: { KeyType: 'API_KEY', UsagePlanId: { Ref: plan }, KeyId: { Ref: id } },
});
const plan = (Throttle: object | undefined, Methods: object, Quota?: object) => ({
  Type: 'AWS::ApiGateway::UsagePlan',
  Properties: {
    ...(Throttle ? { Throttle } : {}),
    ...(Quota ? { Quota } : {}),
    ApiStages: [{ ApiId: restApi, Stage: { Ref: 'Stage' }, Throttle: Methods }],
  },
});
const preflightHeaders = {
  'method.response.header.Access-Control-Allow-Origin': "'https://a.example'",
  'method.response.header.Vary': "'Origin'",
};
const preflight = {
  ApiKeyRequired: false,
  Integration: {
    Type: 'MOCK',
    RequestTemplates: { 'application/json': '{ statusCode: 200 }' },
    IntegrationResponses: [
      {
        StatusCode: '204',
        ResponseParameters: preflightHeaders,
        ResponseTemplates: {
          'application/json': [
            '#set($origin = $input.params().header.get("Origin"))',
            '#if($origin == "")',
            '  #set($origin = $input.params().header.get("origin"))',
            '#end',
            '#if($origin == "https://b.example" || $origin == "https://c.example")',
            '  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)',
            '#end',
          ].join('\n'),
        },
      },
    ],
  },
  MethodResponses: [
    {
      StatusCode: '204',
      ResponseParameters: Object.fromEntries(Object.keys(preflightHeaders).map((name) => [name, true])),
    },
  ],
};

export const resources = {
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
  Deployment: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: restApi } },
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: {
      RestApiId: restApi,
      StageName: 'prod',
      DeploymentId: { Ref: 'Deployment' },
      AccessLogSetting: {
        Format: '$context.httpMethod $context.resourcePath $context.status $context.error.responseType',
      },
      MethodSettings: [
        { HttpMethod: 'GET', ResourcePath: '/~1stage', ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
      ],
    },
  },
  Users: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'users'),
  Me: resource({ Ref: 'Users' }, 'me'),
  User: resource({ Ref: 'Users' }, '{userId}'),
  Unlock: resource({ Ref: 'User' }, 'unlock'),
  Admin: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'admin'),
  Keyed: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'keyed'),
  Staged: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'stage'),
  Slow: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'slow'),
  Unpermitted: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'unpermitted'),
  UsersPost: method('POST', { Ref: 'Users' }),
  UsersGet: method('GET', { Ref: 'Users' }),
  UsersOptions: method('OPTIONS', { Ref: 'Users' }, preflight),
  MeGet: method('GET', { Ref: 'Me' }),
  UserGet: method('GET', { Ref: 'User' }),
  UnlockPost: method('POST', { Ref: 'Unlock' }),
  AdminGet: method('GET', { Ref: 'Admin' }, { AuthorizationType: 'AWS_IAM' }),
  KeyedGet: method('GET', { Ref: 'Keyed' }, { ApiKeyRequired: true }),
  KeyedPost: method('POST', { Ref: 'Keyed' }, { ApiKeyRequired: true }),
  StagedGet: method('GET', { Ref: 'Staged' }),
  UnpermittedGet: method('GET', { Ref: 'Unpermitted' }),
  SlowPost: method(
    'POST',
    { Ref: 'Slow' },
    { Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri, TimeoutInMillis: 150 } },
  ),
  GenerousKey: key(true),
  TightKey: key(true),
  QuotaKey: key(true),
  DisabledKey: key(false),
  LooseKey: key(true),
  Generous: plan({ RateLimit: 1000, BurstLimit: 1000 }, {}),
  Tight: plan({ RateLimit: 1, BurstLimit: 3 }, { '/keyed/POST': { RateLimit: 0.1, BurstLimit: 1 } }),
  Quota: plan(undefined, {}, { Limit: 2, Period: 'DAY' }),
  InGenerous: inPlan('Generous', 'GenerousKey'),
  InTight: inPlan('Tight', 'TightKey'),
  InQuota: inPlan('Quota', 'QuotaKey'),
  DisabledInGenerous: inPlan('Generous', 'DisabledKey'),
  Default4xx: gatewayResponse('DEFAULT_4XX', {
    ResponseParameters: {
      'gatewayresponse.header.Content-Type': "'application/problem+json'",
      'gatewayresponse.header.Access-Control-Allow-Origin': 'method.request.header.Origin',
    },
    ResponseTemplates: {
      'application/json':
        '{"type":"$context.error.responseType","detail":$context.error.messageString,"requestId":"$context.requestId"}',
    },
  }),
  Throttled: gatewayResponse('THROTTLED', {
    ResponseParameters: { 'gatewayresponse.header.Retry-After': "'1'" },
  }),
};
