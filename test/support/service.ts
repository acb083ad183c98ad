import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Service, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';

/**
 * The whole service for one test file, with a data folder of its own, stopped when the file's tests have run. The
 * template is the one `npm test` has made, or a new one for a configuration of the test's own.
 */
export async function serviceForTests(configuration?: Record<string, unknown>): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const shared = process.env['COUNTERSIGN_ASSEMBLY'];
  const assembly = shared && !configuration ? shared : join(folder, 'assembly');
  if (assembly !== shared) await synthesize(assembly, configuration ?? {});
  const service = await startService({ assembly, folder: join(folder, 'data'), port: 0 });
  after(async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return service;
}
