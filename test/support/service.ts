import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Service, type ServiceOptions, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';

interface Options extends Pick<ServiceOptions, 'environments' | 'onLog'> {
  /** Properties of the user pool that somebody has set otherwise than the template. */
  userPool?: Record<string, unknown>;
}

/**
 * The whole service for one test file, with a data folder of its own, stopped when the file's tests have run. The
 * template is the one `npm test` has made, or a new one for a configuration of the test's own.
 *
 * @returns the service, and the folder of its data
 */
export async function serviceForTests(
  configuration?: Record<string, unknown>,
  { userPool, ...options }: Options = {},
): Promise<Service & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const shared = process.env['COUNTERSIGN_ASSEMBLY'];
  const own = join(folder, 'assembly');
  if (!shared || configuration) await synthesize(own, configuration ?? {});
  else if (userPool) cpSync(shared, own, { recursive: true });
  if (userPool) alterUserPool(own, userPool);
  const assembly = shared && !configuration && !userPool ? shared : own;
  const data = join(folder, 'data');
  const service = await startService({ assembly, folder: data, port: 0, ...options });
  after(async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...service, folder: data };
}

function alterUserPool(assembly: string, properties: Record<string, unknown>): void {
  for (const file of globSync(join(assembly, '*.template.json'))) {
    const template = JSON.parse(readFileSync(file, 'utf8')) as {
      Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
    };
    for (const resource of Object.values(template.Resources)) {
      if (resource.Type === 'AWS::Cognito::UserPool') Object.assign(resource.Properties, properties);
    }
    writeFileSync(file, JSON.stringify(template));
  }
}
