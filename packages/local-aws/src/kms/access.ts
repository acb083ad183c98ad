import { AwsError } from '../aws-error.ts';
import type { Principal, Statement } from '../iam/policy.ts';
import { decide, identityArn, isAllowed, principalContext } from '../iam/policy.ts';
import type { EncryptionContext } from './materials.ts';

export interface KeyAccess {
  principal: Principal;
  /** 'kms:Decrypt' and the like */
  action: string;
  keyArn: string;
  keyPolicy: Statement[];
  region: string;
  /** The condition keys of the request. */
  context: Record<string, string | string[]>;
}

/**
 * Whether key policy and identity policies together allow it, within one account ("Key policies in AWS KMS"). A Deny of
 * either wins. The key policy allows the principal itself, or leaves the decision to IAM by naming the account.
 */
export function mayUseKey(access: KeyAccess): boolean {
  const { principal, keyPolicy } = access;
  const request = {
    action: access.action,
    resource: access.keyArn,
    context: { ...principalContext(principal, access.region), ...access.context },
  };
  const naming = (names: string[]) =>
    keyPolicy.filter((statement) => principalsOf(statement).some((name) => names.includes(name)));
  const account = principal.arn.split(':')[4] ?? '';
  const root = [account, `arn:aws:iam::${account}:root`];
  const self = ['*', principal.arn, identityArn(principal)];

  const byIdentity = decide(principal.policies, request);
  const byKey = decide(naming([...root, ...self]), request);
  if (byIdentity === 'Deny' || byKey === 'Deny') return false;
  if (isAllowed(naming(self), request)) return true;
  return byIdentity === 'Allow' && isAllowed(naming(root), request);
}

/**
 * Refuses what the policies do not allow.
 *
 * @param resource how the refusal names what was asked for
 * @throws AwsError AccessDeniedException, naming principal, action and resource
 */
export function authorizeKey(access: KeyAccess, resource: string): void {
  if (!mayUseKey(access)) throw accessDenied(access.principal, access.action, resource);
}

function accessDenied(principal: Principal, action: string, resource: string): AwsError {
  return new AwsError(
    'AccessDeniedException',
    `User: ${principal.arn} is not authorized to perform: ${action} on ${resource} because no policy allows the ${action} action`,
  );
}

/** The condition keys about the key and the calling account. */
export function keyContext(account: string): Record<string, string> {
  return {
    'kms:CallerAccount': account,
    'kms:KeySpec': 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': 'false',
  };
}

/** `kms:EncryptionContext:…` and `kms:EncryptionContextKeys`; absent where no context is given. */
export function contextKeys(context: EncryptionContext): Record<string, string | string[]> {
  const names = Object.keys(context);
  return {
    ...Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, context[name] ?? ''])),
    ...(names.length > 0 ? { 'kms:EncryptionContextKeys': names } : {}),
  };
}

/** The AWS principals that a statement names. Services are ignored. */
function principalsOf(statement: Statement): string[] {
  const { Principal: named } = statement;
  if (named === '*') return ['*'];
  const aws = (named as { AWS?: string | string[] } | undefined)?.AWS;
  return aws === undefined ? [] : [aws].flat();
}
