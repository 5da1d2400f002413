import { UsageError } from '../plain-error.ts';

/** How a caller can name the system that a command talks to. */
export interface SystemOptions {
  readonly env?: string;
  readonly apiBaseUrl?: string;
  readonly local?: boolean;
  readonly stack?: string;
}

/** What is known of the caller besides the flags. */
export interface Caller {
  /** The value of API_BASE_URL, for commands that talk HTTP; others leave it out. */
  readonly apiBaseUrl: string | undefined;
  /** Whether a person sees what is printed before anything happens. */
  readonly atTerminal: boolean;
}

export type NamedSystem =
  | { readonly kind: 'environment'; readonly environment: string }
  | { readonly kind: 'api'; readonly apiBaseUrl: string; readonly namedBy: '--api-base-url' | 'API_BASE_URL' }
  | { readonly kind: 'local'; readonly directory: string | undefined; readonly isDefault: boolean };

/**
 * Which system is meant: a flag first, then API_BASE_URL. The local stack is the default on a terminal only, where a
 * person reads which system it is; a script that forgot to name one must not change whatever happens to be there.
 *
 * @throws UsageError when two systems are named, or none is and there is no default
 */
export function namedSystem(options: SystemOptions, { apiBaseUrl, atTerminal }: Caller): NamedSystem {
  const isLocal = options.local === true || options.stack !== undefined;
  const named = [
    ...(options.env === undefined ? [] : ['--env']),
    ...(options.apiBaseUrl === undefined ? [] : ['--api-base-url']),
    ...(isLocal ? [options.local === true ? '--local' : '--stack'] : []),
  ];
  if (named.length > 1) throw new UsageError(`${named.join(' and ')} name different systems: pass one of them.`);
  if (options.env !== undefined) return { kind: 'environment', environment: options.env };
  if (options.apiBaseUrl !== undefined) {
    return { kind: 'api', apiBaseUrl: checkedUrl(options.apiBaseUrl, '--api-base-url'), namedBy: '--api-base-url' };
  }
  if (!isLocal && apiBaseUrl !== undefined && apiBaseUrl !== '') {
    return { kind: 'api', apiBaseUrl: checkedUrl(apiBaseUrl, 'API_BASE_URL'), namedBy: 'API_BASE_URL' };
  }
  if (isLocal || atTerminal) return { kind: 'local', directory: options.stack, isDefault: !isLocal };
  throw new UsageError(
    'Which system? Away from a terminal there is no default. Pass --env <name> for an environment in AWS, --local for ' +
      'the stack on this machine, or, where the command talks HTTP, --api-base-url <url> (API_BASE_URL).',
  );
}

/** On a terminal: somebody types, and sees what goes to standard error. */
export function isAtTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

function checkedUrl(text: string, name: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new UsageError(`${name} is not a URL: it should look like https://api.example.com.`);
}
