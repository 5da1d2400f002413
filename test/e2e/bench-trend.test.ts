import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../support/run-tool.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trend-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface NightOptions {
  readonly trend?: string;
  /** Our handler's rate by a bare GetItem's. */
  readonly handlers?: Readonly<Record<string, number>>;
}

/** The output of a nightly benchmark on a machine of this speed. */
async function night(
  speed: number,
  rates: Readonly<Record<string, number>>,
  { trend = 'trend.jsonl', handlers = {} }: NightOptions = {},
) {
  const measured = (route: string, perSecond: number) => ({
    route,
    inProcess: { perSecond: perSecond * speed, p50Ms: 1 },
  });
  const file = path.join(folder, 'bench.json');
  const routes = Object.entries(rates).map(([route, rate]) => measured(route, rate));
  await writeFile(file, JSON.stringify({ node: 'v24', baselines: [measured('no-op', 10_000)], routes }));
  const args = ['--result', file, '--trend', path.join(folder, trend), '--commit', 'abcdef0123456789', '--annotate'];
  const measuredHandlers = path.join(folder, 'routes.json');
  const ofHandlers = Object.entries(handlers).map(([route, ratio]) => ({ route, ratios: { 'get-item': ratio } }));
  await writeFile(measuredHandlers, JSON.stringify({ node: 'v24', routes: ofHandlers }));
  return runTool('bench:trend', [...args, '--routes', measuredHandlers]);
}

describe('the benchmark trend', () => {
  it("shows a route that has become slow, regardless of the machine's speed", async () => {
    for (const speed of [1, 2, 0.5]) await night(speed, { 'GET /a': 1000, 'GET /b': 500 });
    const { stdout, stderr } = await night(3, { 'GET /a': 1000, 'GET /b': 250, 'GET /c': 10 });
    expect(stderr).toBe('::warning title=Slower than usual::GET /b: 2.5 % tonight, 5.0 % usually (−50.0 %)\n');
    expect(stdout).toContain('1 of 3 got worse by more than a tenth against the median of the nights before.');
    expect(stdout.split('\n').slice(6, 9)).toEqual([
      '| **GET /b** | 2.5 % | 5.0 % | −50.0 % |',
      '| GET /a | 10.0 % | 10.0 % | +0.0 % |',
      '| GET /c | 0.10 % | new |  |',
    ]);
    const kept = (await readFile(path.join(folder, 'trend.jsonl'), 'utf8')).trim().split('\n');
    expect(kept).toHaveLength(4);
  });

  it('warns of a handler that lost more than a tenth against the median, and not of less', async () => {
    const trend = 'handlers.jsonl';
    // One bad night is not what is usual.
    for (const ratio of [0.5, 0.1, 0.5]) {
      await night(1, {}, { trend, handlers: { 'GET /ota/latest': ratio, 'GET /usage': 0.2 } });
    }
    const { stdout, stderr } = await night(
      1,
      {},
      { trend, handlers: { 'GET /ota/latest': 0.44, 'GET /usage': 0.181 } },
    );
    expect(stderr.trim().split('\n')).toEqual([
      '::warning title=Slower than usual::GET /ota/latest, by get-item: 44.0 % tonight, 50.0 % usually (−12.0 %)',
    ]);
    expect(stdout).toContain('| **GET /ota/latest, by get-item** | 44.0 % | 50.0 % | −12.0 % |');
    expect(stdout).toContain('| GET /usage, by get-item | 18.1 % | 20.0 % | −9.5 % |');
  });

  it('says so when nothing got worse', async () => {
    const { stdout, stderr } = await night(1, { 'GET /a': 1000 }, { trend: 'quiet.jsonl' });
    expect(stderr).toBe('');
    expect(stdout).toContain('Nothing got worse by more than a tenth.');
  });
});
