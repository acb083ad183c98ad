import * as v from 'valibot';
import type { Operation } from '../routes.ts';

/**
 * The answer of each operation if it succeeds, and the problem document of every error. For tests, docs and types: no
 * function imports this file.
 */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(count, v.description('seconds since the epoch'));
const duration = v.pipe(count, v.description('seconds'));
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/), v.description('an id'));
const jws = v.pipe(v.string(), v.regex(/^[\w-]+\.[\w-]+\.[\w-]+$/), v.description('a compact JWS'));
const recoveryCode = v.pipe(v.string(), v.regex(/^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/));
const backupCodes = v.pipe(
  v.array(recoveryCode),
  v.length(10),
  v.description('ten backup codes, shown this once'),
);
const onlyEnrolls = v.pipe(v.literal(true), v.description('the session can only enroll'));

const accessToken = { accessToken: jws, expiresIn: duration };
const session = { ...accessToken, tokenType: v.literal('Bearer'), refreshToken: jws };
/** After a change: a new session, unless the caller's session is another issuer's. */
const sessionAfterChange = {
  accessToken: v.exactOptional(jws),
  expiresIn: v.exactOptional(duration),
  tokenType: v.exactOptional(v.literal('Bearer')),
  refreshToken: v.exactOptional(jws),
  cognitoSessionsEnded: v.exactOptional(
    v.pipe(v.boolean(), v.description("whether Cognito's own sessions ended, if `globalSignOut` is set")),
  ),
};
const method = v.pipe(
  v.picklist(['totp', 'backup_code', 'enrollment_ticket']),
  v.description('what was accepted'),
);

const statusFields = {
  enabled: v.pipe(v.boolean(), v.description('whether an authenticator is in force')),
  authenticators: v.array(
    v.strictObject({
      kind: v.picklist(['totp']),
      id,
      name: v.pipe(v.string(), v.maxBytes(64)),
      createdAt: time,
      lastUsedAt: time,
    }),
  ),
  backupCodesRemaining: count,
};

const administered = v.strictObject({
  type: v.picklist(['account.unlocked', 'admin.reset', 'sessions.revoked']),
  at: time,
  by: v.pipe(v.string(), v.description("the caller's ARN")),
  reason: v.optional(v.string()),
  passwordChanged: v.optional(v.literal(true)),
});
const adminStatusFields = {
  ...statusFields,
  failures: v.pipe(count, v.description('wrong codes in a row')),
  backupFailures: v.pipe(count, v.description('wrong backup codes and tickets in a row')),
  lockedUntil: v.nullable(time),
  stopped: v.pipe(v.boolean(), v.description('whether codes are stopped')),
  stoppedAt: v.nullable(time),
  enrollmentNeeds: v.nullable(v.picklist(['ticket', 'new_password'])),
  ticketExpiresAt: v.nullable(time),
  lastEvent: v.nullable(
    v.strictObject({
      type: v.pipe(v.string(), v.description('an event type of how-it-works.md')),
      at: time,
      method: v.exactOptional(v.pipe(v.string(), v.description('what was to be proved by'))),
    }),
  ),
  lastAdministered: v.nullable(administered),
  lastRevoked: v.nullable(administered),
};
const text = v.string();
const texts = v.array(v.string());

/** The status of a success, and its body; no body means that there is none. */
export const answers = {
  login: {
    status: 200,
    body: v.variant('status', [
      v.strictObject({
        status: v.literal('authenticated'),
        ...session,
        totpEnabled: v.literal(false),
        enrollmentRequired: v.exactOptional(onlyEnrolls),
      }),
      v.strictObject({
        status: v.literal('challenge'),
        challengeToken: jws,
        expiresIn: duration,
        methods: v.union([
          v.array(v.picklist(['totp', 'backup_code'])),
          v.array(v.literal('enrollment_ticket')),
        ]),
      }),
    ]),
  },
  'verify-login': {
    status: 200,
    body: v.strictObject({
      status: v.literal('authenticated'),
      ...session,
      method,
      backupCodesRemaining: v.exactOptional(v.pipe(count, v.description('after a backup code'))),
      enrollmentRequired: v.exactOptional(onlyEnrolls),
    }),
  },
  refresh: { status: 200, body: v.strictObject(session) },
  logout: { status: 204 },
  status: { status: 200, body: v.strictObject(statusFields) },
  enroll: {
    status: 201,
    body: v.strictObject({
      authenticatorId: id,
      secret: v.pipe(v.string(), v.regex(/^[A-Z2-7]{32}$/), v.description('base32, shown this once')),
      otpauthUri: v.pipe(
        v.string(),
        v.startsWith('otpauth://totp/'),
        v.description('what the QR code holds'),
      ),
      qrSvg: v.pipe(v.string(), v.startsWith('<svg '), v.description('the QR code as an SVG document')),
      expiresAt: time,
    }),
  },
  confirm: {
    status: 200,
    body: v.strictObject({
      authenticatorId: id,
      backupCodes: v.exactOptional(backupCodes),
      ...sessionAfterChange,
    }),
  },
  verify: { status: 200, body: v.strictObject({ verified: v.literal(true), method, ...accessToken }) },
  disable: {
    status: 200,
    body: v.strictObject({
      enabled: v.pipe(v.boolean(), v.description('whether another authenticator is in force')),
      ...sessionAfterChange,
    }),
  },
  'rotate-backup-codes': { status: 200, body: v.strictObject({ backupCodes, ...sessionAfterChange }) },
  keys: {
    status: 200,
    body: v.strictObject({
      keys: v.array(
        v.strictObject({
          kty: v.literal('RSA'),
          n: text,
          e: text,
          kid: text,
          alg: v.literal('RS256'),
          use: v.literal('sig'),
        }),
      ),
    }),
  },
  discovery: {
    status: 200,
    body: v.strictObject({
      issuer: text,
      jwks_uri: text,
      response_types_supported: texts,
      subject_types_supported: texts,
      id_token_signing_alg_values_supported: texts,
      acr_values_supported: texts,
      claims_supported: texts,
    }),
  },
  'admin-status': { status: 200, body: v.strictObject(adminStatusFields) },
  'admin-unlock': { status: 200, body: v.strictObject(adminStatusFields) },
  'admin-reset': {
    status: 200,
    body: v.strictObject({
      ...adminStatusFields,
      enrollmentTicket: v.exactOptional(
        v.pipe(recoveryCode, v.description('shown this once; absent if a new password is needed instead')),
      ),
    }),
  },
  'admin-revoke-sessions': { status: 204 },
} as const satisfies Record<Operation, { status: number; body?: v.GenericSchema }>;

/** The body of every error. Its code, status and title are one line of errors.ts. */
export const problem = v.strictObject({
  type: v.string(),
  title: v.string(),
  status: v.pipe(v.number(), v.safeInteger(), v.minValue(400), v.maxValue(599)),
  code: v.string(),
  detail: v.pipe(v.string(), v.nonEmpty()),
  requestId: v.pipe(v.string(), v.nonEmpty()),
});
