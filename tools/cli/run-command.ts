import { type Command, CommanderError } from 'commander';
import { PlainError, RefusedError, UsageError } from './plain-error.ts';
import { systemTrouble } from './system-trouble.ts';
import { awsAnswer, awsTrouble } from './target/aws-trouble.ts';
import { isChanging } from './target/say-where.ts';

// The lockfile pins an SDK that runs on Node 20, so its warning about later versions is of no use to users.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/**
 * Exit codes of all commands: 0 success, 1 failure or faults found, 2 invalid arguments, 3 refused (repeating will not
 * help), 130 Ctrl-C.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;

/** The command was stopped by Ctrl-C or a closed terminal. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** The output was closed, for example by `| head`. */
class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/**
 * Runs a command line. Errors that users can fix are printed as one sentence on stderr, others with their stack.
 * Ctrl-C aborts the signal, so that the command can clean up; a second Ctrl-C exits immediately.
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
      // Stop reading when nobody reads the output, but complete changes.
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

/** Makes commander throw instead of exiting. Subcommands don't inherit this setting. */
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
