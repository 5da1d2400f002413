import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const HOST = fileURLToPath(new URL('tool-host.mjs', import.meta.url));
/** What runs leave in memory does not pile up. */
const RUNS_PER_HOST = 40;
const Outcome = z.object({ code: z.number(), stdout: z.string(), stderr: z.string(), isReusable: z.boolean() });

interface Host {
  readonly process: ChildProcess;
  readonly runs: number;
}

/** Ends with this process, whose end closes its channel. */
const idle: Host[] = [];

/**
 * Runs a bundled command in a process that has run others: starting and compiling is most of a short run. It has its
 * own variables, arguments and modules, and ends when a process of its own would. Runs at the same time have different
 * processes.
 */
export async function hostedRun(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Omit<z.infer<typeof Outcome>, 'isReusable'>> {
  const { process: host, runs } = idle.pop() ?? startHost(env);
  const over = new AbortController();
  const { signal } = over;
  const ended = once(host, 'exit', { signal }).then(([code]) => {
    throw new Error(`the process that ran ${file} ended with ${code} and no outcome`);
  });
  try {
    const answer = once(host, 'message', { signal });
    host.send({ file, args, env });
    const { isReusable, ...outcome } = Outcome.parse((await Promise.race([answer, ended]))?.[0]);
    if (isReusable && idle.length === 0 && runs < RUNS_PER_HOST) idle.push({ process: host, runs: runs + 1 });
    else if (host.connected) host.disconnect();
    return outcome;
  } finally {
    ended.catch(() => {});
    over.abort();
  }
}

function startHost(env: Readonly<Record<string, string>>): Host {
  const host = fork(HOST, [], { execArgv: [], env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  host.unref();
  host.channel?.unref();
  return { process: host, runs: 0 };
}
