import { vi } from 'vitest';

/** What is written to the two outputs of the process meanwhile, line by line as JSON. */
export function linesWritten(work: () => void) {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    }),
  );
  work();
  for (const spy of spies) spy.mockRestore();
  return written.map((line) => JSON.parse(line));
}
