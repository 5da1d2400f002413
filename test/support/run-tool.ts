import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandFile } from '../../tools/cli/bundle/command-file.ts';
import { toolScript } from '../../tools/cli/bundle/tool-bundle.ts';
import { hostedRun } from './hosted-run.ts';

export interface ToolRun {
  readonly code: number | null;
  readonly stdout: string;
  /** Standard error without the lines that name the system. */
  readonly stderr: string;
  /** The first line that names the system; empty if there is none. */
  readonly place: string;
}

export interface RunningTool {
  readonly child: ChildProcess;
  /** The output so far. */
  output(): string;
  /** Waits until the output matches. */
  printed(pattern: RegExp): Promise<void>;
  readonly ended: Promise<ToolRun>;
}

export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a command line as a person would, in its own process. */
export function startTool(script: string, args: readonly string[], options: ToolOptions = {}): RunningTool {
  return startNode(['--import', 'tsx', commandFile(script), ...args], options);
}

function startNode(args: readonly string[], options: ToolOptions): RunningTool {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(options),
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

/** The scripts of commands that ran in this process's tests. */
const scripts = new Map<string, Promise<string>>();
/** These hand their output to programs that they start. */
const OWN_PROCESS: ReadonlySet<string> = new Set(['deploy']);

/**
 * Runs a command line to its end, from a bundle. The first run has a process of its own, as a person's; later ones share
 * one with runs of other commands, because starting it and compiling the command would take most of the time.
 */
export async function runTool(script: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  const known = scripts.get(script);
  const file = known ?? toolScript(script);
  scripts.set(script, file);
  if (known === undefined || OWN_PROCESS.has(script)) return startNode([await file, ...args], options).ended;
  const { code, stdout, stderr } = await hostedRun(await file, args, environment(options));
  return { code, stdout, ...withoutPlace(stderr) };
}

function withoutPlace(text: string): Pick<ToolRun, 'stderr' | 'place'> {
  const [place = ''] = /^Talking to .*\n/m.exec(text) ?? [];
  return { stderr: text.replace(/^Talking to .*\n/gm, ''), place: place.trim() };
}

function environment({ env }: ToolOptions): Record<string, string> {
  return { ...withoutTestVariables(), NODE_NO_WARNINGS: '1', ...env };
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
