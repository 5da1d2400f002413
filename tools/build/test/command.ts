import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
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

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Step[] = [
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: ['tsc'] },
];
const TESTS: Step = {
  name: 'tests',
  command: ['vitest', 'run', '--coverage', '--reporter=default', '--reporter=json', `--outputFile=${REPORT}`],
};

await runCommand((signal) =>
  new Command('npm test --')
    .description('Runs lint, type check, and all tests with coverage. The last line counts what passed and failed.')
    .addHelpText('after', '\nExample:\n  npm test\n')
    .action(async () => {
      await rm(REPORT, { force: true });
      console.log(`\n— ${TESTS.name}`);
      const [tested, checks] = await Promise.all([succeeds(start(TESTS, 'inherit', signal)), checked(signal)]);
      const failed: string[] = [];
      for (const { name, isGood, output } of checks) {
        console.log(`\n— ${name}\n${output}`);
        if (!isGood) failed.push(name);
      }
      if (!tested) failed.push(TESTS.name);
      signal.throwIfAborted();
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

/** Runs lint and types in what the tests leave of the machine, because many tests wait most of the time. */
async function checked(signal: AbortSignal) {
  const results: { readonly name: string; readonly isGood: boolean; readonly output: string }[] = [];
  for (const step of CHECKS) {
    const child = start(step, 'pipe', signal);
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
    }
    results.push({ name: step.name, isGood: await succeeds(child), output });
  }
  return results;
}

function start({ command }: Step, output: 'inherit' | 'pipe', signal: AbortSignal): ChildProcess {
  return spawn('npx', ['--no-install', ...command], {
    stdio: ['inherit', output, output],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    signal,
  });
}

async function succeeds(child: ChildProcess): Promise<boolean> {
  const [code] = await once(child, 'close');
  return code === 0;
}

async function readReport(): Promise<z.infer<typeof Report> | undefined> {
  const text = await readFile(REPORT, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Report.parse(JSON.parse(text));
}

/** Lint and types count as one check each, so that their failures show in the last line. */
function countLine(failed: readonly string[], report: z.infer<typeof Report> | undefined): string {
  const broken = CHECKS.filter(({ name }) => failed.includes(name)).length;
  const tests = report ?? { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numFailedTestSuites: 0 };
  // Low coverage, or a suite that fails to load, does not fail a single test.
  const silent = failed.includes('tests') && tests.numFailedTests === 0 ? Math.max(1, tests.numFailedTestSuites) : 0;
  const passed = tests.numPassedTests + CHECKS.length - broken;
  const skipped = tests.numPendingTests === 0 ? '' : `, ${tests.numPendingTests} skipped`;
  return `${passed} passed, ${tests.numFailedTests + broken + silent} failed${skipped}`;
}
