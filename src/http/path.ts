/**
 * Removes the named stage that API Gateway puts in front, and trailing slashes (contract, "Trailing slash, stage
 * prefix").
 */
export function normalizePath(path: string, stage: string | undefined): string {
  let plain = path;
  if (stage !== undefined && stage !== '$default') {
    const prefix = `/${stage}`;
    if (plain === prefix || plain.startsWith(`${prefix}/`)) plain = plain.slice(prefix.length);
  }
  while (plain.length > 1 && plain.endsWith('/')) plain = plain.slice(0, -1);
  return plain === '' ? '/' : plain;
}

/** Converts `/ota/releases/{version}` to Hono's notation. */
export function routerPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** Decodes a path, except reserved characters such as `%2F` and `%25`, which are decoded with their parameter. */
export function decodePath(path: string): string {
  return path.includes('%') ? orAsItCame(path, () => decodeURI(path.replaceAll('%25', '%2525'))) : path;
}

/** Decodes a parameter of a path from `decodePath`. */
export function decodeParameter(value: string): string {
  return value.includes('%') ? orAsItCame(value, () => decodeURIComponent(value)) : value;
}

/** Invalid encodings stay unchanged and then match nothing. */
function orAsItCame(text: string, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
