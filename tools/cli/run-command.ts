import { type Command, CommanderError } from 'commander';
import { PlainError, RefusedError, UsageError } from './plain-error.ts';
import { systemTrouble } from './system-trouble.ts';
import { awsAnswer, awsTrouble } from './target/aws-trouble.ts';
import { isChanging } from './target/say-where.ts';

// The lockfile pins an SDK that runs on Node 20; what later ones will need is no business of who runs a command.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/**
 * Exit codes of all commands: 0 done, 1 it failed or something is wrong, 2 it was called wrongly, 3 what was asked for is
 * refused and a repetition will not help, 130 Ctrl-C.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;

/** The command was stopped by Ctrl-C or a terminal that closed. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Nobody reads the output any more, as after `| head`. */
class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/**
 * Runs a command line: errors that people can mend become one sentence on stderr, everything else shows its stack.
 * The signal is aborted by Ctrl-C, so that the command can stop what it started; a second Ctrl-C ends it at once.
 */
export async function runCommand(create: (signal: AbortSignal) => Command, argv: readonly string[] = process.argv) {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new InterruptedError('stopped'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      // Reading on for nobody is a waste; what changes something is brought to its end.
      if (!isChanging()) controller.abort(new OutputClosedError('closed'));
    });
  }
  try {
    const command = throwing(create(controller.signal));
    await command.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = exitCodeOf(error, controller.signal);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, interrupt);
  }
}

/** Lets commander throw instead of ending the process; its subcommands don't inherit that. */
function throwing(command: Command): Command {
  for (const inner of command.commands) throwing(inner);
  return command.exitOverride();
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (signal.reason instanceof OutputClosedError) return EXIT.done;
  if (signal.aborted || error instanceof InterruptedError) {
    console.error('Stopped.');
    return EXIT.interrupted;
  }
  const sentence =
    error instanceof PlainError ? error.message : (awsTrouble(error) ?? systemTrouble(error) ?? awsAnswer(error));
  console.error(sentence === undefined ? error : `Error: ${sentence}`);
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof RefusedError ? EXIT.refused : EXIT.failed;
}
