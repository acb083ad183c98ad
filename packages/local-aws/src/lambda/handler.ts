import { existsSync, readFileSync } from 'node:fs';
import { Module } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Handler = (event: unknown, context: unknown) => unknown;

/**
 * Loads `<file>.<export>` from the folder of a function's code, as the Node.js runtime does from /var/task.
 *
 * @throws Error named as Lambda names it: Runtime.ImportModuleError, Runtime.HandlerNotFound,
 * Runtime.CallbackHandlerDeprecated; whatever the module itself throws.
 */
export async function loadHandler(folder: string, name: string): Promise<Handler> {
  const [, file = '', exported = ''] = /^(.+)\.([^.]+)$/.exec(name) ?? [];
  const exports = await load(folder, file);
  const handler: unknown = exports[exported];
  if (handler === undefined) throw named('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${name} is not a function`);
  // From nodejs24.x on there are no callback handlers.
  if (handler.length >= 3) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      `${name} takes a callback, which nodejs24.x does not call`,
    );
  }
  return handler as Handler;
}

async function load(folder: string, file: string): Promise<Record<string, unknown>> {
  const path = join(folder, file);
  try {
    if (existsSync(`${path}.js`)) {
      if (isModule(folder)) return await import(pathToFileURL(`${path}.js`).href);
      return loadCommonJs(`${path}.js`);
    }
    if (existsSync(`${path}.mjs`)) return await import(pathToFileURL(`${path}.mjs`).href);
    if (existsSync(`${path}.cjs`)) return loadCommonJs(`${path}.cjs`);
  } catch (error) {
    if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error;
    throw named('Runtime.ImportModuleError', `Error: ${(error as Error).message.split('\n')[0]}`);
  }
  throw named('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
}

/** Whether the package.json of the code itself says so. */
function isModule(folder: string): boolean {
  const own = join(folder, 'package.json');
  return existsSync(own) && JSON.parse(readFileSync(own, 'utf8')).type === 'module';
}

/**
 * Loads CommonJS as if nothing were above /var/task: no package.json that makes a .js file an ES module, and no
 * node_modules folder that hides what the bundle lacks.
 */
function loadCommonJs(path: string): Record<string, unknown> {
  const module = new Module(path) as Module & {
    filename: string;
    _compile(code: string, filename: string, format: 'commonjs'): void;
  };
  module.filename = path;
  module.paths = [];
  module._compile(readFileSync(path, 'utf8'), path, 'commonjs');
  return module.exports;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
