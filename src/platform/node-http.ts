import type * as NodeHttp from 'node:http';

/**
 * Replaces `node:http` in the Lambda bundle (template.yaml, `Alias`). An `import` of a built-in module reads all of its
 * exports. In `node:http` some of them are getters that load undici, which takes 15 to 30 ms and which nothing here
 * uses. Loaded this way, the module is the same and undici stays out.
 *
 * Exports what the bundled libraries import; a build fails when one is missing.
 */
const http: typeof NodeHttp = process.getBuiltinModule('node:http');

export default http;
export const { Agent, request } = http;
