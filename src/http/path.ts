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
