import { relative, resolve } from 'node:path';
import { test } from 'node:test';
import { shareServices } from './service.ts';

const root = resolve(import.meta.dirname, '../..');

/**
 * Runs test files one after the other in this process, so that they load their modules once and use one service
 * (see `serviceForTests`). Of a file that cannot be loaded one test fails, and the others run.
 */
export async function runTogether(files: string[]): Promise<void> {
  const services = shareServices();
  for (const file of files) {
    const name = relative(root, file);
    const loaded = await import(file).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    // Tests run in the order they were registered: when this one has run, all of the file's have.
    await test(`${name} loads, its answers keep the contract, and no secret is where none may be`, async () => {
      if (loaded) throw loaded.error;
      await services.assertSound();
    });
  }
  await services.close();
}
