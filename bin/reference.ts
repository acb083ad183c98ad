/** `npm run reference`: makes docs/endpoints.md, and the tables of docs/errors.md, from the contract. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';
import { endpointsPage, errorsPage } from './reference/pages.ts';

const program = {
  name: 'reference',
  command: 'npm run reference',
  usage:
    'npm run reference    makes docs/endpoints.md, and the tables of docs/errors.md, from functions/contract/\n',
  options: {},
};

await runProgram(program, () => {
  const docs = join(import.meta.dirname, '../docs');
  const errors = join(docs, 'errors.md');
  writeFileSync(join(docs, 'endpoints.md'), endpointsPage());
  writeFileSync(errors, errorsPage(readFileSync(errors, 'utf8')));
  return 0;
});
