import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PlainError } from '../../../cli/plain-error.ts';

const GUARD = fileURLToPath(new URL('./child-guard.mjs', import.meta.url));
const STOP_MS = 5_000;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Receives all its output. */
  readonly logFile: string;
}

export interface GuardedChild {
  readonly name: string;
  readonly logFile: string;
  /** Returns why it ended; undefined while it is running. */
  ended(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a program that ends with this process, even if this one is killed. It gets its own process group, so that
 * Ctrl-C only reaches this process, which stops things in order.
 */
export async function startGuarded(options: ChildOptions): Promise<GuardedChild> {
  const child = await spawnLogged(options, [GUARD, options.command, ...options.args]);
  return watch(options, child);
}

/** Starts one of our modules, which exits when its IPC channel closes, and receives its messages. */
export async function startModule(
  options: Omit<ChildOptions, 'command'>,
  onMessage: (message: unknown) => void,
): Promise<GuardedChild> {
  const child = await spawnLogged(options, [...options.args]);
  child.on('message', onMessage);
  return watch(options, child);
}

async function spawnLogged(options: Omit<ChildOptions, 'command'>, args: string[]): Promise<ChildProcess> {
  await mkdir(path.dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'w' });
  await once(log, 'open');
  return spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
}

function watch(options: Omit<ChildOptions, 'command'>, child: ChildProcess): GuardedChild {
  let end: string | undefined;
  child.on('exit', (code, signal) => {
    end = signal === null ? `exit code ${code}` : `signal ${signal}`;
  });
  child.on('error', (error) => {
    end = error.message;
  });
  return {
    name: options.name,
    logFile: options.logFile,
    ended: () => end,
    async stop() {
      if (end !== undefined) return;
      const exited = once(child, 'exit');
      if (child.connected) child.disconnect();
      const stopped = await Promise.race([exited.then(() => true), delay(STOP_MS, false, { ref: false })]);
      if (stopped !== true) child.kill('SIGKILL');
    },
  };
}

const START_MS = 30_000;
const POLL_MS = 50;

/**
 * Waits until `isReady` returns true. Stops the child otherwise.
 *
 * @throws PlainError if the child ends first or takes too long; the signal's reason if it is aborted
 */
export async function untilReady(
  child: GuardedChild,
  isReady: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await poll(child, isReady, signal);
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function poll(child: GuardedChild, isReady: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await isReady())) {
    signal.throwIfAborted();
    const end = child.ended();
    if (end !== undefined) {
      throw new PlainError(`${child.name} ended before it was ready (${end}). Its output is in ${child.logFile}.`);
    }
    if (Date.now() > deadline) {
      throw new PlainError(
        `${child.name} was not ready after ${START_MS / 1000} s. Its output is in ${child.logFile}.`,
      );
    }
    await delay(POLL_MS);
  }
}
