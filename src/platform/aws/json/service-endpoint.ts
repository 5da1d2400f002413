/**
 * Returns a service's address in a region, or the one that AWS's own environment variables name instead.
 *
 * @param name the service as those variables spell it, e.g. `SECRETS_MANAGER`
 * @param host the first part of its host name
 */
export function serviceEndpoint(
  env: Readonly<Record<string, string | undefined>>,
  { name, host, region }: { readonly name: string; readonly host: string; readonly region: string },
): URL {
  const given = env[`AWS_ENDPOINT_URL_${name}`] || env['AWS_ENDPOINT_URL'];
  if (given) return new URL(given);
  return new URL(`https://${host}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
}
