import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Stack, startStack } from '../../tools/run/local-stack/stack.ts';
import { BUSY_MACHINE } from './busy-machine.ts';

export interface RunningStack {
  readonly directory: string;
  readonly stack: Stack;
  stop(): Promise<void>;
}

/** The whole product on its own ports and in its own directory, as `npm run dev` starts it. */
export async function runningStack(): Promise<RunningStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-e2e-'));
  const stack = await startStack({ directory, ownPorts: true, env: BUSY_MACHINE });
  return {
    directory,
    stack,
    async stop() {
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
