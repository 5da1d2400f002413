/**
 * The push services of the browsers that there are: Chrome and its kin, Firefox, Safari, Edge. An address comes from
 * whoever is signed in, and this server calls it: any other host would let them aim at what they can't reach themselves.
 */
const HOSTS = [
  /^fcm\.googleapis\.com$/,
  /^[a-z0-9-]+\.push\.services\.mozilla\.com$/,
  /^(?:[a-z0-9-]+\.)?push\.apple\.com$/,
  /^[a-z0-9-]+\.notify\.windows\.com$/,
];

const LONGEST_ADDRESS = 1024;

/**
 * Checks whether an address is one of a known push service: https, its own port, no name or password.
 *
 * @param extraOrigins allowed as well, whatever their protocol: those of a local stack
 */
export function isPushAddress(address: string, extraOrigins: readonly string[] = []): boolean {
  if (address.length > LONGEST_ADDRESS || !URL.canParse(address)) return false;
  const { protocol, hostname, port, username, password, hash, origin } = new URL(address);
  if (username !== '' || password !== '' || hash !== '') return false;
  if (extraOrigins.includes(origin)) return true;
  return protocol === 'https:' && port === '' && HOSTS.some((host) => host.test(hostname));
}
