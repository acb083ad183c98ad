/** `npm run reference`: makes docs/endpoints.md, and the tables of docs/errors.md, from the contract. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointsPage, errorsPage } from './reference/pages.ts';

const docs = join(import.meta.dirname, '../docs');
const errors = join(docs, 'errors.md');
writeFileSync(join(docs, 'endpoints.md'), endpointsPage());
writeFileSync(errors, errorsPage(readFileSync(errors, 'utf8')));
