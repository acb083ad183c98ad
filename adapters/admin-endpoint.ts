import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as v from 'valibot';
import { CountersignError } from '../core/error.ts';
import type { User } from '../core/user.ts';
import { dynamoDb } from './aws.ts';
import { parseOptionalBody } from './body.ts';
import { type EndpointOptions, endpoint, type Handler, type Request } from './endpoint.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { createRecords } from './records.ts';

type AdminOptions = Omit<EndpointOptions, 'audit'> & {
  /** Realms whose users an administrator may name. The first is the default. */
  realms: string[];
};

interface AdminRequest extends Request {
  user: User;
  /** The ARN of the caller, whose signature API Gateway has checked. */
  administrator: string;
}

/**
 * Makes a handler for an administrator's operation. The path and `?realm=` name the user. Each call logs a
 * line with the administrator and the user.
 */
export function adminEndpoint(options: AdminOptions, run: Handler<AdminRequest>) {
  const realmIn = ({ queryStringParameters }: APIGatewayProxyEvent) =>
    queryStringParameters?.['realm'] ?? options.realms[0] ?? '';
  const audit = (event: APIGatewayProxyEvent) => ({
    realm: realmIn(event),
    user: userIdIn(event),
    administrator: event.requestContext.identity.userArn,
  });
  return endpoint({ ...options, audit }, (request) => {
    const { event } = request;
    const realm = realmIn(event);
    if (!options.realms.includes(realm)) {
      throw new CountersignError('invalid_request', `realm must be one of ${options.realms.join(', ')}.`);
    }
    const sub = userIdIn(event);
    if (sub === undefined || sub.length < 1 || sub.length > 255) {
      throw new CountersignError('invalid_request', 'userId must have 1 to 255 characters.');
    }
    const administrator = event.requestContext.identity.userArn;
    // The route requires a signature, so without an ARN it was deployed otherwise. Nobody acts unnamed.
    if (!administrator) throw new TypeError('An administrator without an ARN.');
    return run({ ...request, user: { realm, sub }, administrator });
  });
}

/** Makes a handler like {@link adminEndpoint}, with an optional body. */
export function adminBodyEndpoint<S extends v.GenericSchema>(
  options: AdminOptions & { body: S },
  run: Handler<AdminRequest & { body: v.InferOutput<S> }>,
) {
  return adminEndpoint(options, (request) =>
    run({ ...request, body: parseOptionalBody(request.event, options.body) }),
  );
}

function userIdIn({ pathParameters }: APIGatewayProxyEvent): string | undefined {
  return decoded(pathParameters?.['userId'] ?? '');
}

/** Decodes a path parameter, which API Gateway's REST APIs pass on percent-encoded, as it was sent. */
function decoded(parameter: string): string | undefined {
  try {
    return decodeURIComponent(parameter);
  } catch {
    return undefined;
  }
}

/** Creates what an administrator's operation needs: the records, and no key at all. */
export function createAdministration() {
  const environment = readEnvironment();
  const { TABLE_NAME, SETTINGS: settings } = environment;
  return {
    options: administrationOf(environment),
    services: { records: createRecords(dynamoDb(), TABLE_NAME), settings },
  };
}

/** Returns the realms whose users an administrator may name. The pool's own is the first. */
export function administrationOf(environment: Environment) {
  const { SETTINGS, TRUSTED_ISSUERS } = environment;
  const realms = [SETTINGS.realm, ...TRUSTED_ISSUERS.map(({ realm }) => realm)];
  return { environment, realms: [...new Set(realms)] };
}
