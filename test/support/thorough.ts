/**
 * `THOROUGH=1 npm test`, as `.ci/run` has it: the long tests in their full length. Without it they do less of the same, so that
 * the whole suite ends within three minutes on two cores.
 */
export const thorough = process.env['THOROUGH'] === '1';
