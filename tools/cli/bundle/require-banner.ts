/**
 * The first line of a bundle: CommonJS packages in it need `require`. Its spelling avoids name clashes with bundled
 * code, and the replacement of `import.meta.url`.
 */
export const REQUIRE_BANNER =
  "import{createRequire as bundleRequire}from'node:module';const require=bundleRequire(import.meta['url']);";
