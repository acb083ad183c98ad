import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import type { Statement } from './policy.ts';

/** AWS managed policies that a role may have, with their statements about services played here. */
const AWS_MANAGED: Record<string, Statement[]> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: '*',
    },
  ],
};

/** Finds the role of a function. @throws Error if it is not in the template, or Lambda may not assume it. */
export function roleOf(deployment: Deployment, lambdaFunction: Resource): Resource {
  const arn = lambdaFunction.properties['Role'];
  const role = deployment.resources('AWS::IAM::Role').find((candidate) => candidate.attribute('Arn') === arn);
  if (!role) throw new Error(`${lambdaFunction.logicalId}: its role ${arn} is not in the template.`);
  const trusted = statementsIn(role.properties['AssumeRolePolicyDocument']).some((statement) => {
    const { Service } = (statement.Principal ?? {}) as { Service?: string | string[] };
    return (
      statement.Effect === 'Allow' &&
      [statement.Action].flat().includes('sts:AssumeRole') &&
      [Service].flat().includes('lambda.amazonaws.com')
    );
  });
  if (!trusted) throw new Error(`${role.logicalId}: Lambda may not assume this role.`);
  return role;
}

/** Collects the statements of the role's policies: inline, attached, and AWS managed. */
export function policiesOf(deployment: Deployment, role: Resource): Statement[] {
  if (role.properties['PermissionsBoundary'] !== undefined) {
    throw new Error(`${role.logicalId}: a permissions boundary is not known here.`);
  }
  const inline = (role.properties['Policies'] ?? []) as { PolicyDocument: unknown }[];
  const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']
    .flatMap((type) => deployment.resources(type))
    .filter(({ properties }) => ((properties['Roles'] ?? []) as string[]).includes(role.ref))
    .map(({ properties }) => properties['PolicyDocument']);
  const managed = ((role.properties['ManagedPolicyArns'] ?? []) as string[]).flatMap((arn) => {
    const own = deployment.resources('AWS::IAM::ManagedPolicy').find(({ ref }) => ref === arn);
    const statements = own ? statementsIn(own.properties['PolicyDocument']) : AWS_MANAGED[arn];
    if (!statements) throw new Error(`${role.logicalId}: the policy ${arn} is not known here.`);
    return statements;
  });
  return [
    ...[...inline.map(({ PolicyDocument }) => PolicyDocument), ...attached].flatMap(statementsIn),
    ...managed,
  ];
}

export function statementsIn(document: unknown): Statement[] {
  return [(document as { Statement: Statement | Statement[] }).Statement].flat();
}
