import { lowerCase, mixedCase, uuid } from './identifiers.ts';

/** One resource as its kind sees it. */
export interface Subject {
  stack: string;
  logicalId: string;
  region: string;
  account: string;
  /** A property, resolved. */
  property(name: string): unknown;
  /** An identifier made up once and kept. */
  identifier(make: () => string): string;
}

/** The values of Ref and Fn::GetAtt for a type of resource (CloudFormation's template reference, "Return values"). */
export interface Kind {
  ref(subject: Subject): string;
  attributes?: Record<string, (subject: Subject) => string>;
}

const arn = (service: string, subject: Subject, resource: string) =>
  `arn:aws:${service}:${subject.region}:${subject.account}:${resource}`;
const globalArn = (service: string, subject: Subject, resource: string) =>
  `arn:aws:${service}::${subject.account}:${resource}`;

/** The given name, or the one CloudFormation makes up. */
const named = (property: string, longest: number) => (subject: Subject) => {
  const given = subject.property(property);
  if (given !== undefined) return String(given);
  const made = subject.identifier(lowerCase(12));
  return `${`${subject.stack}-${subject.logicalId}`.slice(0, longest - 13)}-${made}`;
};
const own = (length: number) => (subject: Subject) => subject.identifier(lowerCase(length));

const tableName = named('TableName', 255);
const functionName = named('FunctionName', 64);
const roleName = named('RoleName', 64);
const ruleName = named('Name', 64);
const managedPolicyArn = (subject: Subject) =>
  globalArn('iam', subject, `policy/${named('ManagedPolicyName', 128)(subject)}`);
const logGroupName = named('LogGroupName', 512);
const functionArn = (subject: Subject) => arn('lambda', subject, `function:${functionName(subject)}`);
const keyId = (subject: Subject) => subject.identifier(uuid);
const poolId = (subject: Subject) => `${subject.region}_${subject.identifier(mixedCase(9))}`;
const webAclId = (subject: Subject) => subject.identifier(uuid);
const versionArn = (subject: Subject) => {
  const given = String(subject.property('FunctionName'));
  return `${given.startsWith('arn:') ? given : arn('lambda', subject, `function:${given}`)}:1`;
};

/** Every type that a template may hold, those without an effect on this machine included. */
export const KINDS: Record<string, Kind> = {
  'AWS::ApiGateway::Account': { ref: own(10) },
  'AWS::ApiGateway::ApiKey': { ref: own(10), attributes: { APIKeyId: own(10) } },
  'AWS::ApiGateway::Deployment': { ref: own(6), attributes: { DeploymentId: own(6) } },
  'AWS::ApiGateway::GatewayResponse': { ref: own(6) },
  'AWS::ApiGateway::Method': { ref: own(6) },
  'AWS::ApiGateway::Resource': { ref: own(6), attributes: { ResourceId: own(6) } },
  'AWS::ApiGateway::RestApi': {
    ref: own(10),
    attributes: { RestApiId: own(10), RootResourceId: (subject) => `root${own(10)(subject).slice(0, 6)}` },
  },
  'AWS::ApiGateway::Stage': { ref: (subject) => String(subject.property('StageName')) },
  'AWS::ApiGateway::UsagePlan': { ref: own(6), attributes: { Id: own(6) } },
  'AWS::ApiGateway::UsagePlanKey': { ref: own(10) },
  'AWS::CDK::Metadata': { ref: own(6) },
  'AWS::Cognito::UserPool': {
    ref: poolId,
    attributes: {
      Arn: (subject) => arn('cognito-idp', subject, `userpool/${poolId(subject)}`),
      UserPoolId: poolId,
      ProviderName: (subject) => `cognito-idp.${subject.region}.amazonaws.com/${poolId(subject)}`,
      ProviderURL: (subject) => `https://cognito-idp.${subject.region}.amazonaws.com/${poolId(subject)}`,
    },
  },
  'AWS::Cognito::UserPoolClient': { ref: own(26), attributes: { ClientId: own(26) } },
  'AWS::DynamoDB::Table': {
    ref: tableName,
    attributes: { Arn: (subject) => arn('dynamodb', subject, `table/${tableName(subject)}`) },
  },
  'AWS::Events::Rule': {
    ref: ruleName,
    attributes: { Arn: (subject) => arn('events', subject, `rule/${ruleName(subject)}`) },
  },
  'AWS::IAM::ManagedPolicy': { ref: managedPolicyArn, attributes: { PolicyArn: managedPolicyArn } },
  'AWS::IAM::Policy': { ref: named('PolicyName', 128) },
  'AWS::IAM::Role': {
    ref: roleName,
    attributes: {
      Arn: (subject) => globalArn('iam', subject, `role/${roleName(subject)}`),
      RoleId: (subject) => `AROA${subject.identifier(lowerCase(17)).toUpperCase()}`,
    },
  },
  'AWS::KMS::Alias': { ref: (subject) => String(subject.property('AliasName')) },
  'AWS::KMS::Key': {
    ref: keyId,
    attributes: { Arn: (subject) => arn('kms', subject, `key/${keyId(subject)}`), KeyId: keyId },
  },
  'AWS::Lambda::Function': { ref: functionName, attributes: { Arn: functionArn } },
  'AWS::Lambda::Permission': { ref: own(12) },
  'AWS::Lambda::Version': {
    ref: versionArn,
    attributes: { Version: () => '1', FunctionArn: versionArn },
  },
  'AWS::Logs::LogGroup': {
    ref: logGroupName,
    attributes: { Arn: (subject) => arn('logs', subject, `log-group:${logGroupName(subject)}:*`) },
  },
  // No firewall runs here.
  'AWS::WAFv2::WebACL': {
    ref: (subject) => `${named('Name', 128)(subject)}|${webAclId(subject)}|REGIONAL`,
    attributes: {
      Arn: (subject) =>
        arn('wafv2', subject, `regional/webacl/${named('Name', 128)(subject)}/${webAclId(subject)}`),
      Id: webAclId,
    },
  },
  'AWS::WAFv2::WebACLAssociation': { ref: own(12) },
  'Custom::Trigger': { ref: own(12) },
};
