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

/** The output of a nightly benchmark on a machine of this speed. */
async function night(speed: number, rates: Readonly<Record<string, number>>) {
  const measured = (route: string, perSecond: number) => ({
    route,
    inProcess: { perSecond: perSecond * speed, p50Ms: 1 },
  });
  const file = path.join(folder, 'bench.json');
  const routes = Object.entries(rates).map(([route, rate]) => measured(route, rate));
  await writeFile(file, JSON.stringify({ node: 'v24', baselines: [measured('no-op', 10_000)], routes }));
  const args = ['--result', file, '--trend', path.join(folder, 'trend.jsonl'), '--commit', 'abcdef0123456789'];
  return runTool('bench:trend', args);
}

describe('the benchmark trend', () => {
  it("shows a route that has become slow, regardless of the machine's speed", async () => {
    for (const speed of [1, 2, 0.5]) await night(speed, { 'GET /a': 1000, 'GET /b': 500 });
    const { stdout, stderr } = await night(3, { 'GET /a': 1000, 'GET /b': 250, 'GET /c': 10 });
    expect(stderr).toBe('');
    expect(stdout.split('\n').slice(4, 7)).toEqual([
      '| **GET /b** | 2.5 % | 5.0 % | −50.0 % |',
      '| GET /a | 10.0 % | 10.0 % | +0.0 % |',
      '| GET /c | 0.1 % | new |  |',
    ]);
    const kept = (await readFile(path.join(folder, 'trend.jsonl'), 'utf8')).trim().split('\n');
    expect(kept).toHaveLength(4);
  });
});
