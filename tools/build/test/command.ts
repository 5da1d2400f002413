import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { EXIT, runCommand } from '../../cli/run-command.ts';

const REPORT = 'coverage/tests.json';
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number().default(0),
  numFailedTestSuites: z.number(),
});

const STEPS = [
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: ['tsc'] },
  {
    name: 'tests',
    command: ['vitest', 'run', '--coverage', '--reporter=default', '--reporter=json', `--outputFile=${REPORT}`],
  },
] as const;

await runCommand((signal) =>
  new Command('npm test --')
    .description('Runs lint, type check, and all tests with coverage. The last line counts what passed and failed.')
    .addHelpText('after', '\nExample:\n  npm test\n')
    .action(async () => {
      await rm(REPORT, { force: true });
      const failed: string[] = [];
      for (const { name, command } of STEPS) {
        console.log(`\n— ${name}`);
        if (!(await succeeds(command, signal))) failed.push(name);
        signal.throwIfAborted();
      }
      const report = await readReport();
      const skipped = report === undefined ? 0 : report.numPendingTests + report.numTodoTests;
      if (skipped > 0) failed.push(`${skipped} skipped tests (none may be skipped)`);
      if (failed.length > 0) {
        console.error(`\nFailed: ${failed.join(', ')}`);
        process.exitCode = EXIT.failed;
      }
      console.log(countLine(failed, report));
    }),
);

async function succeeds(command: readonly string[], signal: AbortSignal): Promise<boolean> {
  const child = spawn('npx', ['--no-install', ...command], {
    stdio: 'inherit',
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    signal,
  });
  const [code] = await once(child, 'close');
  return code === 0;
}

async function readReport(): Promise<z.infer<typeof Report> | undefined> {
  const text = await readFile(REPORT, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Report.parse(JSON.parse(text));
}

/** Lint and types count as one check each, so that their failures show in the last line. */
function countLine(failed: readonly string[], report: z.infer<typeof Report> | undefined): string {
  const checks = ['lint and format', 'types'];
  const broken = checks.filter((check) => failed.includes(check)).length;
  const tests = report ?? { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numFailedTestSuites: 0 };
  // Low coverage, or a suite that fails to load, does not fail a single test.
  const silent = failed.includes('tests') && tests.numFailedTests === 0 ? Math.max(1, tests.numFailedTestSuites) : 0;
  const passed = tests.numPassedTests + checks.length - broken;
  const skipped = tests.numPendingTests === 0 ? '' : `, ${tests.numPendingTests} skipped`;
  return `${passed} passed, ${tests.numFailedTests + broken + silent} failed${skipped}`;
}
