import assert from 'node:assert/strict';
import type { Fault } from '@countersign/local-aws/context';
import type { Service } from '../../local/service.ts';
import { type Answer, assertProblem } from './client.ts';

/** While `work` runs, every call of these operations meets this fault, but for the first few. */
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

/** The refusal that says when to try again. */
export function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503, 'temporarily_unavailable');
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}
