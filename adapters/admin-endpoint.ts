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
  /** Those whose users an administrator may name; the first is meant if none is named. */
  realms: string[];
};

interface AdminRequest extends Request {
  user: User;
  /** The ARN of the caller, whose signature API Gateway has checked. */
  administrator: string;
}

/** For an administrator. The user is named by the path and `?realm=`; each call leaves a line that says who and whose. */
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
      throw new CountersignError('invalid_request', `realm is one of ${options.realms.join(', ')}.`);
    }
    const sub = userIdIn(event);
    if (sub === undefined || sub.length < 1 || sub.length > 255) {
      throw new CountersignError('invalid_request', 'userId has 1 to 255 characters.');
    }
    const administrator = event.requestContext.identity.userArn;
    // The route wants a signature, so this is a route that was deployed otherwise: nobody acts unnamed.
    if (!administrator) throw new TypeError('An administrator without an ARN.');
    return run({ ...request, user: { realm, sub }, administrator });
  });
}

/** The same, with a body that may be left out. */
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

/** API Gateway's REST APIs hand path parameters on as they were sent, percent-encoded. */
function decoded(parameter: string): string | undefined {
  try {
    return decodeURIComponent(parameter);
  } catch {
    return undefined;
  }
}

/** What an administrator's operation works with: the records, and no key at all. */
export function createAdministration() {
  const environment = readEnvironment();
  const { TABLE_NAME, SETTINGS: settings } = environment;
  return {
    options: administrationOf(environment),
    services: { records: createRecords(dynamoDb(), TABLE_NAME), settings },
  };
}

/** The realms whose users an administrator may name; the pool's own is the first. */
export function administrationOf(environment: Environment) {
  const { SETTINGS, TRUSTED_ISSUERS } = environment;
  const realms = [SETTINGS.realm, ...TRUSTED_ISSUERS.map(({ realm }) => realm)];
  return { environment, realms: [...new Set(realms)] };
}
