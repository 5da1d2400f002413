import { createInterface } from 'node:readline/promises';
import { PlainError } from '../plain-error.ts';
import { isAtTerminal } from './named-system.ts';

/** What a command is about to do where. */
export interface Purpose {
  /** Whether it may change anything there. */
  readonly changes: boolean;
  /** Asks nothing, also on a terminal. */
  readonly yes?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The environment that real people use. */
const PRODUCTION = 'prod';

const said = new Set<string>();
let changing = false;

/** Whether this command has begun something that should be brought to its end, also when nobody reads its output any more. */
export function isChanging(): boolean {
  return changing;
}

/**
 * Says on standard error, once, which system a command is about to talk to. Before production is changed, a person at a
 * terminal is asked; a script has named it, which is all that it can do.
 *
 * @param environment its name, where it has one
 * @param where its address and whatever else helps to tell it from others
 * @throws PlainError when the person says no
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
 * Asks a person whether production is meant.
 *
 * @throws PlainError when they type anything but its name
 */
export async function confirmProduction(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal?: AbortSignal,
): Promise<void> {
  const lines = createInterface({ input, output });
  try {
    const question = `Type ${PRODUCTION} to go on: `;
    const answer = await (signal === undefined ? lines.question(question) : lines.question(question, { signal }));
    if (answer.trim() !== PRODUCTION) throw new PlainError('Nothing was changed.');
  } finally {
    lines.close();
  }
}
