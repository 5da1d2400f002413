/**
 * The first line of a bundle: packages in it that are not ES modules ask for others by `require`. It is written so that
 * nothing which a bundle holds has the same name, or takes the address in it for a module's own.
 */
export const REQUIRE_BANNER =
  "import{createRequire as bundleRequire}from'node:module';const require=bundleRequire(import.meta['url']);";
