/**
 * Stands in for curl in commands that tests run as they are documented, on a machine that has none: `-s`, `-X`, `-H`, `-d` and
 * a URL. Where there is a curl, that is used.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * The environment for a shell in which `curl` is a program.
 *
 * @param folder where the stand-in is put if it is needed; it goes with the test's own
 */
export function withCurl(folder: string): NodeJS.ProcessEnv {
  if (spawnSync('curl', ['--version']).status === 0) return process.env;
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'curl'), `#!/bin/sh\nexec '${process.execPath}' '${import.meta.filename}' "$@"\n`);
  chmodSync(join(bin, 'curl'), 0o755);
  return { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      silent: { type: 'boolean', short: 's' },
      request: { type: 'string', short: 'X' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      data: { type: 'string', short: 'd' },
    },
    allowPositionals: true,
  });
  const [url = ''] = positionals;
  const headers = values.header.map((header) => header.split(/:\s*(.*)/s, 2) as [string, string]);
  const response = await fetch(url, {
    method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
    headers,
    ...(values.data !== undefined && { body: values.data }),
  });
  process.stdout.write(await response.text());
}
