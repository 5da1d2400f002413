import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandFile } from '../../tools/cli/bundle/command-file.ts';
import { toolBundle } from '../../tools/cli/bundle/tool-bundle.ts';

export interface ToolRun {
  readonly code: number | null;
  readonly stdout: string;
  /** What it complains of: without the lines that say which system it talks to. */
  readonly stderr: string;
  /** The first line that says which system it talks to; empty when it talks to none. */
  readonly place: string;
}

export interface RunningTool {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Waits until it has printed something that matches. */
  printed(pattern: RegExp): Promise<void>;
  readonly ended: Promise<ToolRun>;
}

export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one of the command lines as a person would: in a process of its own. */
export function startTool(script: string, args: readonly string[], options: ToolOptions = {}): RunningTool {
  return startNode(['--import', 'tsx', commandFile(script), ...args], options);
}

function startNode(args: readonly string[], options: ToolOptions): RunningTool {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutTestVariables(), NODE_NO_WARNINGS: '1', ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part) => {
    stdout += part;
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const ended = once(child, 'close').then(([code]): ToolRun => ({ code, stdout, ...withoutPlace(stderr) }));
  return {
    child,
    ended,
    output: () => stdout + stderr,
    async printed(pattern) {
      while (!pattern.test(stdout + stderr)) {
        const over = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)]);
        if (over && !pattern.test(stdout + stderr))
          throw new Error(`it ended without printing ${pattern}:\n${stdout}${stderr}`);
      }
    },
  };
}

/** Runs one of the command lines to its end, from a bundle: tests run so many that compiling each would be most of it. */
export async function runTool(script: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  return startNode([await toolBundle(script), ...args], options).ended;
}

function withoutPlace(text: string): Pick<ToolRun, 'stderr' | 'place'> {
  const [place = ''] = /^Talking to .*\n/m.exec(text) ?? [];
  return { stderr: text.replace(/^Talking to .*\n/gm, ''), place: place.trim() };
}

function withoutTestVariables(): Record<string, string> {
  const own =
    /^(VITEST|AWS_|APP_ENV|API_BASE_URL|FACTORY_|OTA_|STRIPE_|KINDWISE_|PLANTNET_|RATE_LIMIT_|NODE_V8_COVERAGE)/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || own.test(name) ? [] : [[name, value]],
    ),
  );
}
