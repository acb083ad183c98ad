/**
 * Stands in for curl when tests run documented commands on a machine without it. It knows `-s`, `-X`, `-H`,
 * `-d` and a URL. If the machine has curl, the tests use that.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Returns the environment for a shell in which `curl` is a program.
 *
 * @param folder receives the stand-in if it is needed. The test deletes it with its own files.
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
