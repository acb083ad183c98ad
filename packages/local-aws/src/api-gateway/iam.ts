import type { Context } from '../context.ts';
import { isAllowed, type Principal, principalContext } from '../iam/policy.ts';
import { verifySignature } from '../iam/sigv4.ts';
import { joinedHeaders, type Request } from './request.ts';

/** Decides which signed requests reach a method with AWS_IAM authorization. */
export interface IamAuthorizer {
  /** Returns who signed the request. @throws AwsError with AWS's own code */
  authenticate(request: Request): Principal;
  /** Whether IAM lets the principal call the method of this `arn:aws:execute-api:…`. */
  mayCall(principal: Principal, methodArn: string, sourceIp: string): boolean;
}

/** Verifies signatures, and evaluates the principal's own policies. */
export function createIamAuthorizer({ clock, region, principal }: Context): IamAuthorizer {
  return {
    authenticate: ({ method, path, query, headers, body }) =>
      verifySignature({ method, path, query, headers: joinedHeaders(headers), body }, principal, {
        service: 'execute-api',
        region,
        now: clock.now(),
      }),
    mayCall: (caller, methodArn, sourceIp) =>
      isAllowed(caller.policies, {
        action: 'execute-api:Invoke',
        resource: methodArn,
        context: { ...principalContext(caller, region), 'aws:SourceIp': sourceIp },
      }),
  };
}
