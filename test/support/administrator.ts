import { createHash, createHmac } from 'node:crypto';
import type { Service } from '../../local/service.ts';
import { type Answer, type Client, clientOf } from './client.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The fields of a user's status as support sees it. */
export const ADMIN_STATUS = [
  'enabled',
  'authenticators',
  'backupCodesRemaining',
  'failures',
  'backupFailures',
  'lockedUntil',
  'stopped',
  'stoppedAt',
  'enrollmentNeeds',
  'ticketExpiresAt',
  'lastEvent',
  'lastAdministered',
  'lastRevoked',
];

/** Returns an administrator of the service, who has an API key and signs requests. */
export function administratorOf(
  service: Service,
  credentials: Credentials = service.local.admin,
  client: Client = clientOf(service),
) {
  const call = (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> => {
    const text = body === undefined ? '' : JSON.stringify(body);
    return client.call(method, path, {
      ...(body !== undefined && { body: text }),
      headers: signature(service, credentials, { method, path, at: service.clock.now(), body: text }),
    });
  };
  const of = (sub: string) => `/v1/admin/users/${encodeURIComponent(sub)}`;
  return {
    call,
    status: (sub: string) => call('GET', of(sub)),
    unlock: (sub: string, body?: unknown) => call('POST', `${of(sub)}/unlock`, body),
    reset: (sub: string, body?: unknown) => call('POST', `${of(sub)}/reset`, body),
    revokeSessions: (sub: string, body?: unknown) => call('POST', `${of(sub)}/sessions/revoke`, body),
  };
}

/**
 * Returns the headers of a Signature Version 4 ("Create a signed AWS API request").
 *
 * @param request `at` in milliseconds
 */
export function signature(
  { url, local }: Pick<Service, 'url' | 'local'>,
  { accessKeyId, secretAccessKey }: Credentials,
  { method, path, at, body = '' }: { method: string; path: string; at: number; body?: string | Uint8Array },
): Record<string, string> {
  const { host, pathname, searchParams } = new URL(path, url);
  const date = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [date.slice(0, 8), local.admin.region, 'execute-api', 'aws4_request'];
  const query = [...searchParams]
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .sort()
    .join('&');
  const canonical = [
    method,
    // Every service except S3 expects the encoded path to be encoded once more.
    pathname.split('/').map(encodeURIComponent).join('/'),
    query,
    `host:${host}`,
    `x-amz-date:${date}`,
    '',
    'host;x-amz-date',
    sha256(body),
  ].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signed = hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n'));
  return {
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${[accessKeyId, ...scope].join('/')}, SignedHeaders=host;x-amz-date, Signature=${signed.toString('hex')}`,
  };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
