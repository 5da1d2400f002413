import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Every way to skip a test in vitest, in any call form. */
const LEAVES_OUT = /\.(?:skip|skipIf|runIf|todo|fails)\b|\{\s*skip:\s*/;

describe('the tests', () => {
  it('all run everywhere: none is skipped for something a machine lacks', () => {
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(100);
    const leavingOut = files.filter(
      (name) =>
        name !== path.relative('test', import.meta.filename) &&
        LEAVES_OUT.test(readFileSync(path.join('test', name), 'utf8')),
    );
    expect(leavingOut).toEqual([]);
  });

  it('fail as a whole if one was skipped', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-skipped-'));
    try {
      const skipping = await npmTest(directory, { numPassedTests: 5, numPendingTests: 1 });
      expect(skipping).toMatchObject({ code: 1, stderr: expect.stringContaining('1 skipped') });
      expect(skipping.stdout.trim().split('\n').at(-1)).toBe('7 passed, 0 failed, 1 skipped');
      const whole = await npmTest(directory, { numPassedTests: 6, numPendingTests: 0 });
      expect(whole).toMatchObject({ code: 0, stderr: '' });
      expect(whole.stdout.trim().split('\n').at(-1)).toBe('8 passed, 0 failed');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Runs the command behind `npm test` in a folder where lint, types and tests succeed and only report. */
async function npmTest(directory: string, counts: { numPassedTests: number; numPendingTests: number }) {
  const { scripts }: { scripts: { test: string } } = JSON.parse(await readFile('package.json', 'utf8'));
  const command = path.resolve(scripts.test.replace('tsx ', ''));
  const report = JSON.stringify({ numFailedTests: 0, numTodoTests: 0, numFailedTestSuites: 0, ...counts });
  await mkdir(path.join(directory, 'bin'), { recursive: true });
  const npx = `#!/bin/sh\nmkdir -p coverage\ncat > coverage/tests.json <<'END'\n${report}\nEND\n`;
  await writeFile(path.join(directory, 'bin/npx'), npx, { mode: 0o755 });
  const env = { ...process.env, PATH: `${directory}/bin:${process.env['PATH']}`, NODE_NO_WARNINGS: '1' };
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      path.resolve('node_modules/.bin/tsx'),
      [command],
      { cwd: directory, env, timeout: 60_000 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
