/**
 * One spelling for every address: API Gateway puts a named stage in front of the path, and people put a slash behind
 * it (contract, "Trailing slash, stage prefix").
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

/** `/ota/releases/{version}` as Hono writes it. */
export function routerPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** The path with what needs no encoding decoded; `%2F` and `%25` wait for the parameter that they are in. */
export function decodePath(path: string): string {
  return path.includes('%') ? orAsItCame(path, () => decodeURI(path.replaceAll('%25', '%2525'))) : path;
}

/** One parameter out of a path that was decoded as above. */
export function decodeParameter(value: string): string {
  return value.includes('%') ? orAsItCame(value, () => decodeURIComponent(value)) : value;
}

/** What is no valid encoding stays as it came, and then matches nothing. */
function orAsItCame(text: string, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
