import { isAllowed, principalContext } from '../iam/policy.ts';
import { verifySignature } from '../iam/sigv4.ts';
import type { FunctionPolicies } from '../lambda/permissions.ts';
import type { Lambda } from '../lambda/runtime.ts';
import type { RunningServer, Surroundings } from '../types.ts';
import { joinedHeaders } from './event.ts';
import { startGateway } from './server.ts';
import type { Api } from './template.ts';

/** Starts the gateway before this machine's functions, with IAM deciding who gets through and what may be invoked. */
export function startFront(options: {
  api: Api;
  keyValues: ReadonlyMap<string, string>;
  surroundings: Surroundings;
  mayInvoke: FunctionPolicies['mayInvoke'];
  invoke: Lambda['invoke'];
  port?: number;
  onAccess(line: string): void;
}): Promise<RunningServer> {
  const { api, keyValues, surroundings, mayInvoke, invoke, port, onAccess } = options;
  const { clock, region, principal } = surroundings;
  return startGateway({
    api,
    clock,
    keyValues,
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
    mayInvoke: (functionArn, sourceArn) => mayInvoke(functionArn, 'apigateway.amazonaws.com', sourceArn),
    invoke,
    onAccess,
    ...(surroundings.onExchange && { onExchange: surroundings.onExchange }),
    ...(port === undefined ? {} : { port }),
  });
}
