import assert from 'node:assert/strict';
import type { Fault } from '@countersign/local-aws/context';
import type { Service } from '../../local/service.ts';
import { type Answer, assertProblem } from './client.ts';

/** Runs `work` while every call of these operations meets this fault, except the first few. */
export async function during<T>(
  service: Service,
  fault: Fault,
  operations: string[],
  work: () => Promise<T>,
  spared = 0,
): Promise<T> {
  let asked = 0;
  service.setFault(({ operation }) =>
    operations.includes(operation) && ++asked > spared ? fault : undefined,
  );
  try {
    return await work();
  } finally {
    service.setFault(undefined);
  }
}

/** Asserts that an answer is the 503 that says when to retry. */
export function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503, 'temporarily_unavailable');
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}
