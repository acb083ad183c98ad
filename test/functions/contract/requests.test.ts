import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requests } from '../../../functions/contract/requests.ts';
import { routes } from '../../../functions/routes.ts';

test('every operation that takes a body has a schema of it, and no other operation has one', () => {
  const posts = Object.entries(routes).filter(([, { method }]) => method === 'POST');
  assert.deepEqual(posts.map(([operation]) => operation).sort(), Object.keys(requests).sort());
});
