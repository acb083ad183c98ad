import { invalidParameter } from '../errors.ts';
import { type Input, optional, stringList } from '../input.ts';
import type { Pool } from '../pool.ts';
import type { User } from '../users.ts';
import { userView } from './views.ts';

/** The attributes that Cognito can search by; custom ones it cannot. */
const searchable: Record<string, (user: User) => string | undefined> = {
  username: (user) => user.username,
  'cognito:user_status': (user) => user.status,
  status: (user) => (user.enabled ? 'Enabled' : 'Disabled'),
};
for (const name of [
  'email',
  'phone_number',
  'name',
  'given_name',
  'family_name',
  'preferred_username',
  'sub',
]) {
  searchable[name] = (user) => user.attributes[name];
}

/** `attribute = "value"` or `attribute ^= "prefix"`. */
function matcher(filter: string | undefined): (user: User) => boolean {
  if (filter === undefined || filter === '') return () => true;
  const parsed = /^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter);
  const read = searchable[parsed?.[1] ?? ''];
  if (!parsed || !read) throw invalidParameter(`Error while parsing filter: ${filter}`);
  const value = (parsed[3] ?? '').replaceAll(/\\(.)/g, '$1');
  return parsed[2] === '='
    ? (user) => read(user) === value
    : (user) => read(user)?.startsWith(value) ?? false;
}

/** ListUsers: at most 60 a page. */
export function list(pool: Pool, input: Input) {
  const limit = input['Limit'] ?? 60;
  if (typeof limit !== 'number' || limit < 0 || limit > 60) {
    throw invalidParameter(
      "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60",
    );
  }
  const found = pool.users.all().filter(matcher(optional(input, 'Filter')));
  const token = optional(input, 'PaginationToken');
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString('utf8'));
  if (!Number.isSafeInteger(start) || start < 0) throw invalidParameter('Invalid pagination token.');
  const end = start + (limit || 60);
  const only = stringList(input, 'AttributesToGet');
  return {
    Users: found.slice(start, end).map((user) => userView(user, only)),
    ...(end < found.length ? { PaginationToken: Buffer.from(String(end)).toString('base64') } : {}),
  };
}
