import { writeFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { parseLeniently } from '../../cli/lenient-json.ts';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { listedRoutes } from '../../cli/target/route-list.ts';
import { apiOptions } from '../../cli/target/system-options.ts';
import { findTarget, type Target, type TargetOptions } from '../../cli/target/target.ts';
import { adminChecks } from './admin-checks.ts';
import { type Probe, type SmokeCheck, smokeChecks } from './checks.ts';
import { type CheckedResult, junitReport } from './junit-report.ts';
import { relayChecks } from './relay-checks.ts';

const PROBE_MS = 10_000;

interface Options extends TargetOptions {
  readonly json: boolean;
  readonly junit?: string;
  readonly adminToken?: string | true;
  readonly relayUrl?: string;
}

await runCommand((signal) =>
  apiOptions(new Command('npm run smoke --'))
    .description('Checks a running API over HTTP: health, the guard of every route, error form, headers. Read-only.')
    .option(
      '--admin-token [token]',
      "also check the OTA routes with a token; default: the system's own, or OTA_ADMIN_TOKEN with --api-base-url",
    )
    .option('--relay-url <url>', "the relay's WebSocket address; default: the system's own, if it is known")
    .option('--junit <file>', 'write the results as JUnit XML, for pipelines')
    .option('--json', 'print the results as JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run smoke\n  npm run smoke -- --env prod --json\n' +
        '  npm run smoke -- --api-base-url https://api.example.com --admin-token --junit smoke.xml\n' +
        '\nExit code 0 if all checks passed, 1 otherwise.\n',
    )
    .action((options: Options) => smoke(options, signal)),
);

async function smoke(options: Options, signal: AbortSignal): Promise<void> {
  const target = await findTarget(options, { changes: false, signal });
  const { apiBaseUrl } = target;
  const probe = prober(apiBaseUrl, signal);
  const results: CheckedResult[] = [];
  const routes = await listedRoutes();
  const behindGuards = options.adminToken === undefined ? [] : adminChecks(routes, await adminToken(options, target));
  const relayUrl = options.relayUrl ?? target.relayUrl;
  const relay = relayUrl === undefined ? [] : relayChecks(relayUrl);
  for (const check of [...smokeChecks(routes), ...relay, ...behindGuards]) {
    const result = await runCheck(check, probe);
    signal.throwIfAborted();
    results.push(result);
    if (!options.json) console.log(line(result));
  }
  const failed = results.filter(({ ok }) => !ok);
  const passed = results.length - failed.length;
  if (options.junit !== undefined) await writeFile(options.junit, junitReport(apiBaseUrl, results));
  if (options.json)
    console.log(JSON.stringify({ apiBaseUrl, passed, failed: failed.length, checks: results }, null, 2));
  else console.log(`\n${passed} checks passed, ${failed.length} failed on ${apiBaseUrl}`);
  if (failed.length > 0) throw new PlainError(`The smoke test failed: ${failed.map(({ name }) => name).join('; ')}`);
}

async function adminToken({ adminToken: given }: Options, target: Target): Promise<string> {
  return typeof given === 'string' ? given : target.token('adminToken');
}

function prober(apiBaseUrl: string, signal: AbortSignal): Probe {
  return async (path, init = {}) => {
    const response = await fetch(new URL(path, apiBaseUrl), {
      ...init,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parseLeniently(text) };
  };
}

async function runCheck(check: SmokeCheck, probe: Probe): Promise<CheckedResult> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    await check.run(probe);
    return { name: check.name, ok: true, ms: ms() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return {
      name: check.name,
      ok: false,
      ms: ms(),
      error: `${error instanceof Error ? error.message : error}${cause}`,
    };
  }
}

function line({ name, ok, ms, error }: CheckedResult): string {
  const paint = (color: 'green' | 'red', text: string) => styleText(color, text, { stream: process.stdout });
  return ok ? `${paint('green', '✓')} ${name} (${ms} ms)` : `${paint('red', '✗')} ${name}\n    ${error}`;
}
