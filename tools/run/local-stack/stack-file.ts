import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

const StackFile = z.object({
  /** Id of the process that runs the stack. */
  pid: z.number(),
  apiBaseUrl: z.url(),
  docsUrl: z.url(),
  factoryToken: z.string(),
  adminToken: z.string(),
  cognito: z.object({ endpoint: z.url(), region: z.string(), userPoolId: z.string(), clientId: z.string() }),
  s3: z.object({ endpoint: z.url(), bucket: z.string() }),
  dynamodb: z.object({ endpoint: z.url() }),
  /** The relay's WebSocket API: where peers connect, and where `@connections` is. */
  relay: z.object({ url: z.string(), endpoint: z.url() }),
  /** Where mails and pushes land: a page, and `/_messages` as JSON. */
  messages: z.url(),
  stripe: z.object({ endpoint: z.url(), webhookSecret: z.string() }),
  /** Stand-ins, to make them fail. */
  plants: z.object({ kindwise: z.url(), plantnet: z.url(), gbif: z.url() }),
  users: z.array(z.object({ email: z.string(), password: z.string() })),
});

/** What tools need to use a running stack without flags. */
export type StackFile = z.output<typeof StackFile>;

export const DEFAULT_DIRECTORY = '.local';

const fileIn = (directory: string) => path.join(directory, 'stack.json');

export async function writeStackFile(directory: string, stack: StackFile): Promise<void> {
  await writeFile(fileIn(directory), `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
}

export async function removeStackFile(directory: string): Promise<void> {
  await rm(fileIn(directory), { force: true });
}

/** Returns the stack running in the directory; undefined if there is none, or if one ended without cleaning up. */
export async function readStackFile(directory: string = DEFAULT_DIRECTORY): Promise<StackFile | undefined> {
  let text: string;
  try {
    text = await readFile(fileIn(directory), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = StackFile.safeParse(JSON.parse(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Checks whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists, but belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
