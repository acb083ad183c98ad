import assert from 'node:assert/strict';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { mayBeAbsent, requests } from '../../functions/contract/requests.ts';
import { type Operation, routes } from '../../functions/routes.ts';
import type { Service } from '../../local/service.ts';
import { signature } from '../support/administrator.ts';
import { type Answer, clientOf, codeAt, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { dynamoDbOf } from '../support/stored.ts';
import { erase } from '../support/table.ts';
import { checkAnswer, checkNoEcho, formFault, MALFORMED, textsIn } from './contract.ts';
import type { Input, TokenPlan } from './inputs.ts';
import { altered, bytesOf, pathOf, type Received, type Sent, sameToken, type Transport } from './request.ts';
import { takesBody } from './values.ts';

/** The code with which the service must refuse an altered token or one of the wrong kind. */
const TOKEN_CODE = {
  access: 'token_invalid',
  challenge: 'challenge_invalid',
  refresh: 'refresh_token_invalid',
} as const;

/** Number of inputs before a restart. By then most tokens and codes are spent. */
const FRESH_FOR = 150;

/** `operation code` → how often it occurred. A success is `ok`. */
export type Met = Map<string, number>;

/**
 * Returns a function that sends inputs as one user, who mostly has a second factor, every kind of token and a
 * pending enrollment.
 */
export async function createSender(service: Service, transport: Transport, met: Met) {
  const person = await createPerson(service);
  const { username, password, sub } = person;
  const client = clientOf(service);
  const dynamoDb = dynamoDbOf(service);
  const tokens: Record<TokenPlan['kind'], string> = { access: '', refresh: '', challenge: '' };
  let backupCodes: string[] = [];
  let authenticator = { id: '', secret: '' };
  let pending = { id: '', secret: '' };
  let left = 0;
  let beginnings = 0;
  /** The record before the requests in `refused`. Undefined after a request that may change the record. */
  let record: string | undefined;
  let refused: string[] = [];

  async function beginAnew(): Promise<void> {
    await erase(service, `USER#users#${sub}`);
    const login = () => client.post('/v1/auth/login', { username, password });
    const code = (more = 0) => codeAt(authenticator.secret, service.clock.seconds() + more);
    const first = await login();
    keep(first);
    record = undefined;
    refused = [];
    // Every fourth time the user has no second factor. That lasts for fewer inputs, because few operations
    // work then.
    const without = ++beginnings % 4 === 0;
    left = without ? FRESH_FOR / 5 : FRESH_FOR;
    if (without) return;
    const enrolled = await client.post('/v1/totp/enroll', { password }, text(first, 'accessToken'));
    authenticator = { id: text(enrolled, 'authenticatorId'), secret: text(enrolled, 'secret') };
    const bearer = text(first, 'accessToken');
    const confirm = () =>
      client.post('/v1/totp/confirm', { authenticatorId: authenticator.id, code: code() }, bearer);
    keep(await accepted(confirm));
    keep(await accepted(() => client.post('/v1/totp/enroll', { code: code(30) }, tokens.access)));
    keep(await login());
    service.clock.advance(60);
  }

  /** Replaces stored tokens and codes with the new ones in an answer. */
  function keep({ body }: Pick<Answer, 'body'>): void {
    if (typeof body['accessToken'] === 'string') tokens.access = body['accessToken'];
    if (typeof body['refreshToken'] === 'string') tokens.refresh = body['refreshToken'];
    if (typeof body['challengeToken'] === 'string') tokens.challenge = body['challengeToken'];
    if (Array.isArray(body['backupCodes'])) backupCodes = body['backupCodes'];
    if (typeof body['qrSvg'] === 'string')
      pending = { id: String(body['authenticatorId']), secret: String(body['secret']) };
  }

  async function stored(): Promise<string> {
    dynamoDb.config.systemClockOffset = service.clock.now() - Date.now();
    const { Item } = await dynamoDb.send(
      new GetItemCommand({
        TableName: service.local.dynamodb.tableName,
        Key: { pk: { S: `USER#users#${sub}` } },
        ConsistentRead: true,
      }),
    );
    return JSON.stringify(Item ?? null);
  }

  function requestOf(input: Input, token: string): Sent {
    const { operation } = input;
    const mine: Record<string, string> = {
      token,
      code: codeAt((operation === 'confirm' ? pending : authenticator).secret, service.clock.seconds()),
      backup: backupCodes[0] ?? '',
      pending: pending.id,
      authenticator: authenticator.id,
      username,
      password,
      sub,
    };
    const fill = (given: string) => given.replace(/\$([a-z]+)/g, (name, key: string) => mine[key] ?? name);
    const route = routes[operation];
    const path = pathOf(route.path.replace('{userId}', fill(input.userId)), input.path);
    const whole = input.query ? `${path}?${input.query}` : path;
    const method = input.method ?? route.method;
    const { apiKey, limitedApiKey } = service.local;
    const keys = { right: apiKey, other: limitedApiKey, wrong: `${apiKey}x`, empty: '', none: undefined };
    const key = keys[input.apiKey];
    const signed =
      route.caller === 'iam' && input.signed
        ? signature(service, service.local.admin, {
            method,
            path: service.url + whole,
            at: service.clock.now(),
            body: bytesOf(input.body, fill) ?? '',
          })
        : {};
    const authorization = route.caller === 'bearer' ? input.authorization : undefined;
    const headers: [string, string | undefined][] = [
      ['x-api-key', key],
      ['content-type', input.body.kind === 'none' ? undefined : input.contentType],
      ['authorization', authorization && fill(authorization)],
      ...Object.entries(signed),
      ...input.headers.map(([name, value]): [string, string] => [name, fill(value)]),
    ];
    return {
      method,
      path: whole,
      headers: headers.flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, value]],
      ),
      body: bytesOf(input.body, fill),
    };
  }

  /** Sends one input and checks the answer against the contract. @throws AssertionError */
  return async function send(input: Input): Promise<void> {
    if (left-- <= 0) await beginAnew();
    const { operation, body: plan } = input;
    const route = routes[operation];
    const original = tokens[input.token.kind];
    const token = altered(original, input.token.alter);
    const sent = requestOf(input, token);

    // What the input's form alone implies for the answer, if the request reaches the function.
    const arrives = sent.method === route.method && !input.path && /^(right|other)$/.test(input.apiKey);
    // An access token is valid only with an API key of its own client.
    const ofOtherClient = route.caller === 'bearer' && input.apiKey === 'other';
    const tokenFault =
      input.token.kind !== kindFor(operation) || !sameToken(token, original) || ofOtherClient;
    const plainBearer = input.authorization === 'Bearer $token';
    const contentType = plan.kind === 'none' ? undefined : input.contentType;
    const leftOut = mayBeAbsent(operation) && (sent.body?.length ?? 0) === 0;
    const fault =
      takesBody(operation) && !leftOut ? formFault(requests[operation], contentType, sent.body) : undefined;
    if (fault) record ??= await stored();
    else if (refused.length > 0) {
      assert.ok((await stored()) === record, `one of these changed the record: ${refused.join(', ')}`);
      refused = [];
    }

    const received = await transport.send(sent, input.chunked && sent.body !== undefined);
    const code = checkAnswer(operation, received, sent.method === 'HEAD');
    const what = `${operation} ${code ?? 'ok'}`;
    met.set(what, (met.get(what) ?? 0) + 1);
    if (code !== undefined) checkNoEcho(received, secretsIn(sent, input));

    if (arrives && route.caller === 'bearer' && (!plainBearer || tokenFault)) {
      const accepted = plainBearer || /^bearer \$token$/i.test(input.authorization ?? '');
      if (!accepted || tokenFault) assert.equal(code, 'token_invalid');
    } else if (arrives && takesBody(operation) && reachesFunction(operation, code)) {
      checkForm(input, received, fault, code);
      if (!fault && tokenFault && hasToken(input) && route.caller === 'key')
        assert.equal(code, TOKEN_CODE[kindFor(operation)]);
    }

    if (code === undefined) keep({ body: received.text ? JSON.parse(received.text) : {} });
    if (code === undefined || code === 'code_rejected') record = undefined;
    else if (record !== undefined) refused.push(what);
    if (code === undefined && /^(disable|admin-re)/.test(operation)) left = 0;
  };

  function checkForm(
    input: Input,
    received: Received,
    fault: string | undefined,
    code: string | undefined,
  ): void {
    // Whether the service requires or refuses a proof or the password depends on the record.
    if (
      !fault &&
      input.operation === 'enroll' &&
      /is required|is not taken|is for after a reset/.test(received.text)
    )
      return;
    if (!fault && input.operation === 'verify-login' && /is answered with/.test(received.text)) return;
    if (fault) assert.equal(code, fault);
    else assert.ok(!MALFORMED.some((malformed) => malformed === code), `${code} for a well-formed body`);
  }
}

/**
 * Retries an attempt, because other senders advance the clock and a code may have expired when it arrives.
 */
async function accepted(attempt: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await attempt();
    if (answer.status < 300 || tries === 5) return answer;
  }
}

export type Send = Awaited<ReturnType<typeof createSender>>;

function kindFor(operation: Operation): TokenPlan['kind'] {
  if (operation === 'verify-login') return 'challenge';
  return operation === 'refresh' || operation === 'logout' ? 'refresh' : 'access';
}

/**
 * Whether the function checked the request's body. API Gateway may refuse the signature of a signed request
 * first, and the function may refuse its user first.
 */
function reachesFunction(operation: Operation, code: string | undefined): boolean {
  if (routes[operation].caller !== 'iam') return true;
  return (
    code === undefined || MALFORMED.some((malformed) => malformed === code && code !== 'invalid_request')
  );
}

/** Whether the body contains exactly one token, the planned one. */
function hasToken({ body }: Input): boolean {
  return (
    body.kind === 'members' &&
    body.members.filter(([name, value]) => /Token$/.test(name) && value === '$token').length === 1 &&
    body.members.filter(([name]) => /Token$/.test(name)).length === 1
  );
}

/** Returns everything in a request that a refusal must not repeat. */
function secretsIn({ path, headers, body }: Sent, { body: plan }: Input): string[] {
  const [, query = ''] = path.split('?');
  const values = headers.filter(([name]) => name !== 'content-type').map(([, value]) => value);
  const texts = [...values, ...query.split(/[&=]/), ...path.split(/[/?]/).slice(4)];
  if (!body) return texts;
  try {
    texts.push(...textsIn(JSON.parse(body.toString())));
  } catch {
    if (plan.kind !== 'none') texts.push(body.toString());
  }
  return texts;
}
