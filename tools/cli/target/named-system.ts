import { UsageError } from '../plain-error.ts';

/** The options that name the target system. */
export interface SystemOptions {
  readonly env?: string;
  readonly apiBaseUrl?: string;
  readonly local?: boolean;
  readonly stack?: string;
}

/** The caller's context besides the flags. */
export interface Caller {
  /** The value of API_BASE_URL, for commands that call the API; undefined for others. */
  readonly apiBaseUrl: string | undefined;
  /** Whether a user sees the output before anything happens. */
  readonly atTerminal: boolean;
}

export type NamedSystem =
  | { readonly kind: 'environment'; readonly environment: string }
  | { readonly kind: 'api'; readonly apiBaseUrl: string; readonly namedBy: '--api-base-url' | 'API_BASE_URL' }
  | { readonly kind: 'local'; readonly directory: string | undefined; readonly isDefault: boolean };

/**
 * Returns the named system: by a flag, else by API_BASE_URL. The local stack is the default only on a terminal, where
 * the user sees which system it is. A script that names none must not change whatever happens to be running.
 *
 * @throws UsageError if two systems are named, or none and there is no default
 */
export function namedSystem(options: SystemOptions, { apiBaseUrl, atTerminal }: Caller): NamedSystem {
  const isLocal = options.local === true || options.stack !== undefined;
  const named = [
    ...(options.env === undefined ? [] : ['--env']),
    ...(options.apiBaseUrl === undefined ? [] : ['--api-base-url']),
    ...(isLocal ? [options.local === true ? '--local' : '--stack'] : []),
  ];
  if (named.length > 1) throw new UsageError(`${named.join(' and ')} name different systems: pass only one of them.`);
  if (options.env !== undefined) return { kind: 'environment', environment: options.env };
  if (options.apiBaseUrl !== undefined) {
    return { kind: 'api', apiBaseUrl: checkedUrl(options.apiBaseUrl, '--api-base-url'), namedBy: '--api-base-url' };
  }
  if (!isLocal && apiBaseUrl !== undefined && apiBaseUrl !== '') {
    return { kind: 'api', apiBaseUrl: checkedUrl(apiBaseUrl, 'API_BASE_URL'), namedBy: 'API_BASE_URL' };
  }
  if (isLocal || atTerminal) return { kind: 'local', directory: options.stack, isDefault: !isLocal };
  throw new UsageError(
    'Which system? There is no default outside a terminal. Pass --env <name> for an environment in AWS, --local for ' +
      'the stack on this machine, or, for commands that call the API, --api-base-url <url> (API_BASE_URL).',
  );
}

/** Checks whether a user types the input and sees standard error. */
export function isAtTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

function checkedUrl(text: string, name: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new UsageError(`${name} is not a URL. Expected one like https://api.example.com.`);
}
