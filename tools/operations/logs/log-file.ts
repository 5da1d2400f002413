import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlainError } from '../../cli/plain-error.ts';
import type { LogLine } from './log-reports.ts';

/** Returns the lines of a local stack's log since a point in time, oldest first. */
export async function linesOfFile(file: string, since: string): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  try {
    for await (const text of createInterface({ input: createReadStream(file) })) {
      const line = parsed(text);
      const timestamp = line?.['timestamp'];
      if (line !== undefined && typeof timestamp === 'string' && timestamp >= since) lines.push(line);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(`${file} does not exist. Start a stack with "npm run dev", or pass --env.`);
  }
  return lines;
}

/** Returns undefined for lines that are not ours, such as a library's output. */
function parsed(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? { ...line } : undefined;
  } catch {
    return undefined;
  }
}
