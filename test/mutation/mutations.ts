import { changes } from './changes.ts';
import { codes } from './codes.ts';
import { edges } from './edges.ts';
import { keys } from './keys.ts';
import type { Mutation } from './mutation.ts';
import { sessions } from './sessions.ts';
import { stores } from './stores.ts';

/** Breaks every line that carries a promise, in core/ and in the security part of adapters/. */
export const mutations: Mutation[] = [...codes, ...sessions, ...changes, ...keys, ...stores, ...edges];
