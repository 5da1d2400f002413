import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlainError } from '../../cli/plain-error.ts';
import type { LogLine } from './log-reports.ts';

/** The lines of a local stack's log since a moment, in the order in which they were written. */
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
    throw new PlainError(`${file} is not there. Start a stack with "npm run dev", or pass --env.`);
  }
  return lines;
}

/** What a library has printed between our lines is no line of ours. */
function parsed(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? { ...line } : undefined;
  } catch {
    return undefined;
  }
}
