import { type ChildProcess, fork } from 'node:child_process';
import { Command } from 'commander';
import type * as z from 'zod';
import { PlainError } from '../../../cli/plain-error.ts';
import { LoadMessage, LoadOrder, LoadTarget } from './load-orders.ts';
import { loadPeers } from './load-peers.ts';
import { doLoad } from './load-work.ts';

const COMMAND = 'bench-load';

/** The load in a process of its own, so that what it takes is not measured. */
export interface LoadProcess {
  run<T>(order: LoadOrder, result: z.ZodType<T>, advanced?: (done: number) => void): Promise<T>;
  stop(): void;
}

/** Starts this command again as the load process. */
export function startLoad(target: LoadTarget, signal: AbortSignal): LoadProcess {
  const file = process.argv[1];
  if (file === undefined) throw new Error('this program has no file');
  const child = fork(file, [COMMAND, JSON.stringify(target)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  return {
    async run(order, result, advanced = () => {}) {
      return result.parse(await answer(child, order, advanced, signal));
    },
    stop,
  };
}

function answer(child: ChildProcess, order: LoadOrder, advanced: (done: number) => void, signal: AbortSignal) {
  return new Promise<unknown>((resolve, reject) => {
    const settle = (end: () => void) => {
      child.off('message', listen);
      child.off('exit', gone);
      end();
    };
    const listen = (message: unknown) => {
      const told = LoadMessage.parse(message);
      if ('done' in told) advanced(told.done);
      else if ('failed' in told) settle(() => reject(new PlainError(`The load failed: ${told.failed}`)));
      else settle(() => resolve(told.result));
    };
    const gone = () => settle(() => reject(signal.aborted ? signal.reason : new PlainError('The load process ended.')));
    child.on('message', listen);
    child.on('exit', gone);
    child.send(order);
  });
}

const TELL_EVERY_MS = 200;

/** The load process itself; people have no use for it. */
export function loadCommand(): Command {
  return new Command(COMMAND).argument('<target>').action(async (text: string) => {
    const peers = await loadPeers(LoadTarget.parse(JSON.parse(text)));
    let told = 0;
    const advanced = (done: number) => {
      if (performance.now() - told < TELL_EVERY_MS) return;
      told = performance.now();
      process.send?.({ done });
    };
    process.on('message', (message) => {
      doLoad(peers, LoadOrder.parse(message), advanced).then(
        (result) => process.send?.({ result }),
        (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
      );
    });
    await new Promise((resolve) => process.once('disconnect', resolve));
    process.exit(0);
  });
}
