import { createInterface } from 'node:readline/promises';
import { PlainError } from '../plain-error.ts';
import { isAtTerminal } from './named-system.ts';

/** What a command is about to do. */
export interface Purpose {
  /** Whether it can change anything. */
  readonly changes: boolean;
  /** Skips the confirmation, even on a terminal. */
  readonly yes?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The environment with real users. */
const PRODUCTION = 'prod';

const said = new Set<string>();
let changing = false;

/** Whether this command has started changes that should be completed even if its output is closed. */
export function isChanging(): boolean {
  return changing;
}

/**
 * Prints the target system to standard error, once. On a terminal, it asks for confirmation before production is
 * changed; a script has named production explicitly, which has to suffice.
 *
 * @param environment its name, if it has one
 * @param where its address, and other details that identify it
 * @throws PlainError if the user does not confirm
 */
export async function sayWhere(environment: string | undefined, where: string, purpose: Purpose): Promise<void> {
  const isProduction = environment === PRODUCTION;
  const subject = isProduction ? 'PRODUCTION (prod)' : (environment ?? '');
  const line = ['Talking to', subject, where, ...(isProduction && purpose.changes ? ['— this CHANGES it'] : [])];
  const text = line.filter((part) => part !== '').join(' ');
  if (!said.has(text)) {
    said.add(text);
    console.error(text);
    if (isProduction && purpose.changes && purpose.yes !== true && isAtTerminal()) {
      await confirmProduction(process.stdin, process.stderr, purpose.signal);
    }
  }
  changing ||= purpose.changes;
}

/**
 * Asks for confirmation to change production.
 *
 * @throws PlainError if anything other than its name is typed
 */
export async function confirmProduction(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal?: AbortSignal,
): Promise<void> {
  const lines = createInterface({ input, output });
  try {
    const question = `Type ${PRODUCTION} to continue: `;
    const answer = await (signal === undefined ? lines.question(question) : lines.question(question, { signal }));
    if (answer.trim() !== PRODUCTION) throw new PlainError('Nothing was changed.');
  } finally {
    lines.close();
  }
}
