/**
 * Replaces the text of one file while Node.js loads it, for `node --import`. It writes nothing into the tree.
 * MUTATION names the file and the replacement as JSON. Without it, every file loads unchanged.
 */
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Mutation, mutated } from './mutation.ts';

const text = process.env['MUTATION'];
if (text !== undefined) {
  const mutation = JSON.parse(text) as Mutation;
  const target = pathToFileURL(join(resolve(import.meta.dirname, '../..'), mutation.file)).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source =
        typeof loaded.source === 'string' ? loaded.source : Buffer.from(bytesOf(loaded.source)).toString();
      return { ...loaded, source: mutated(source, mutation) };
    },
  });
}

function bytesOf(source: string | ArrayBuffer | NodeJS.TypedArray | undefined): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw new TypeError('A module without a source cannot be mutated.');
}
