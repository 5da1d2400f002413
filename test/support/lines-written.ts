import { vi } from 'vitest';

/** Runs the function and returns the JSON lines written to both outputs of the process. */
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
