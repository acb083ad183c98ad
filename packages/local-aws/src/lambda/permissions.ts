import { join } from 'node:path';
import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import { openJsonFile } from '../files/json-file.ts';
import type { Statement } from '../iam/policy.ts';
import { isAllowed } from '../iam/policy.ts';

/** The resource policies of the functions, which say who may invoke each. */
export interface FunctionPolicies {
  /** The function's statements; empty for a function without a policy. */
  of(functionArn: string): Statement[];
  /** Adds one, and keeps it over restarts. */
  add(functionArn: string, statement: Statement): void;
  /** Whether an AWS service may invoke the function on behalf of this resource of the account. */
  mayInvoke(functionArn: string, service: string, sourceArn: string): boolean;
}

/** Opens the policies: the template's AWS::Lambda::Permission resources, and statements added since, kept in `folder`. */
export function openFunctionPolicies(deployment: Deployment, folder: string): FunctionPolicies {
  const permissions = deployment.resources('AWS::Lambda::Permission');
  const added = openJsonFile<Record<string, Statement[]>>(join(folder, 'permissions.json'), () => ({}));
  const of = (functionArn: string) => [
    ...permissions
      .filter(({ properties }) => isNamed(functionArn, String(properties['FunctionName'])))
      .map((permission) => statementOf(permission, functionArn)),
    ...(added.value[functionArn] ?? []),
  ];
  return {
    of,
    add(functionArn, statement) {
      added.value[functionArn] = [...(added.value[functionArn] ?? []), statement];
      added.save();
    },
    mayInvoke(functionArn, service, sourceArn) {
      const statements = of(functionArn).filter(
        ({ Principal }) => (Principal as { Service?: unknown }).Service === service,
      );
      return isAllowed(statements, {
        action: 'lambda:InvokeFunction',
        resource: functionArn,
        context: { 'AWS:SourceArn': sourceArn, 'AWS:SourceAccount': deployment.account },
      });
    },
  };
}

/** A permission as Lambda writes it into the function's policy. */
export function permissionStatement(permission: {
  sid: string;
  action: string;
  principal: string;
  functionArn: string;
  sourceArn?: string | undefined;
  sourceAccount?: string | undefined;
}): Statement {
  const { sid, action, principal, functionArn, sourceArn, sourceAccount } = permission;
  const condition: Statement['Condition'] = {
    ...(sourceAccount === undefined ? {} : { StringEquals: { 'AWS:SourceAccount': sourceAccount } }),
    ...(sourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': sourceArn } }),
  };
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: /^\d{12}$/.test(principal)
      ? { AWS: `arn:aws:iam::${principal}:root` }
      : principal.startsWith('arn:')
        ? { AWS: principal }
        : { Service: principal },
    Action: action,
    Resource: functionArn,
    ...(Object.keys(condition).length > 0 ? { Condition: condition } : {}),
  };
}

function statementOf({ stack, logicalId, properties }: Resource, functionArn: string): Statement {
  const text = (name: string) => (properties[name] === undefined ? undefined : String(properties[name]));
  return permissionStatement({
    sid: `${stack}-${logicalId}`,
    action: String(properties['Action']),
    principal: String(properties['Principal']),
    functionArn,
    sourceArn: text('SourceArn'),
    sourceAccount: text('SourceAccount'),
  });
}

/** @param name of the function, or its ARN */
function isNamed(functionArn: string, name: string): boolean {
  return name === functionArn || functionArn.endsWith(`:function:${name}`);
}
