import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectSerial, connectUdp, deviceCommands, SmpClient, updateDevice } from '@autowatering/firmware-sim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firmware, GOOD } from '../support/firmware.ts';
import { runTool, startTool } from '../support/run-tool.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'simulator-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('npm run sim', () => {
  it('runs a device reachable by UDP and on its console, and reports its boots', async () => {
    const sim = startTool('sim', ['--port', '0', '--console-port', '0', '--self-test', 'fails', '--latitude', '5']);
    await sim.printed(/Running 1\.0\.0\.1; SMP over UDP on 127\.0\.0\.1:\d+, console on TCP port \d+/);
    const [, port = '', consolePort = ''] = /127\.0\.0\.1:(\d+), console on TCP port (\d+)/.exec(sim.output()) ?? [];
    const client = new SmpClient(await connectSerial('127.0.0.1', Number(consolePort)));
    expect(await deviceCommands(client).echo('hello')).toBe('hello');
    client.close();
    const terminal = connect(Number(consolePort), '127.0.0.1');
    terminal.write('water 2 5\n');
    await sim.printed(/garden: open: master, valve 2; [\d.]+ l\/min; 0 waiting; status: ok; channel 2 for 5 minutes/);
    terminal.destroy();
    const outcome = await updateDevice({
      connect: () => connectUdp('127.0.0.1', Number(port)),
      image: firmware(GOOD['1.1.0']),
    });
    expect(outcome).toMatchObject({ outcome: 'rolled_back', runningVersion: '1.0.0.1' });
    await sim.printed(/Boot \d \(software\): swap: revert; 1\.0\.0\.1/);
    sim.child.kill('SIGINT');
    expect((await sim.ended).code).toBe(0);
  });

  it.each([
    ['definite lengths, as the product does, unless told otherwise', [], 'a161726568656c6c6f'],
    ['definite lengths when told to', ['--cbor', 'definite'], 'a161726568656c6c6f'],
    ["indefinite lengths, which are Zephyr's default, when told to", ['--cbor', 'indefinite'], 'bf61726568656c6c6fff'],
  ])('answers with %s', async (_how, args, payload) => {
    const sim = startTool('sim', ['--port', '0', '--console-port', '0', ...args]);
    await sim.printed(/console on TCP port \d+/);
    const [, port = ''] = /UDP on 127\.0\.0\.1:(\d+)/.exec(sim.output()) ?? [];
    const connection = await connectUdp('127.0.0.1', Number(port));
    const answer = new Promise<Uint8Array>((resolve) => connection.onPacket(resolve));
    connection.send(Buffer.from('0a00000900000100a161646568656c6c6f', 'hex'), () => {});
    expect(Buffer.from((await answer).subarray(8)).toString('hex')).toBe(payload);
    connection.close();
    sim.child.kill('SIGINT');
    await sim.ended;
  });

  it('says what to do when a port is in use or the image does not boot', async () => {
    const first = startTool('sim', ['--port', '0', '--console-port', '0']);
    await first.printed(/console on TCP port \d+/);
    const [, udp = '', tcp = ''] = /127\.0\.0\.1:(\d+), console on TCP port (\d+)/.exec(first.output()) ?? [];
    const [second, third] = await Promise.all([
      runTool('sim', ['--port', '0', '--console-port', tcp]),
      runTool('sim', ['--port', udp, '--console-port', '0']),
    ]);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('another one with --console-port')]);
    expect([third.code, third.stderr]).toEqual([1, expect.stringContaining(`UDP port ${udp} is in use`)]);
    first.child.kill('SIGINT');
    const bad = await runTool('sim', ['--firmware', 'test/fixtures/firmware/wrong-key-1.2.0.signed.bin']);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('does not boot')]);
    expect((await runTool('sim', ['--mode', 'magic'])).code).toBe(2);
    expect((await runTool('sim', ['--cbor', 'shortest'])).code).toBe(2);
    await first.ended;
  });
});

describe('npm run sim:fleet', () => {
  const fleet = (...args: string[]) => runTool('sim:fleet', ['--report', directory, ...args]);

  it('prints the outcome of every device and writes a report with a chart', async () => {
    const run = await fleet('--devices', '40', '--seed', '3');
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /Outcomes of 40 devices.*By the app on the phone.*Duration of each phase.*Repeat this run with --seed 3/s,
    );
    const report = JSON.parse(await readFile(path.join(directory, 'report.json'), 'utf8'));
    expect(report).toMatchObject({ seed: 3, online: false, devices: 40 });
    const count = (counts: Record<string, number>) => Object.values(counts).reduce((sum, one) => sum + one, 0);
    expect([count(report.outcomes), count(report.versions.after)]).toEqual([40, 40]);
    const svg = await readFile(path.join(directory, 'report.svg'), 'utf8');
    expect(svg).toMatch(/^<svg .*Devices by version.*Time in each phase.*<\/svg>\s*$/s);
  });

  it('prints the same numbers as JSON for the same seed', async () => {
    const runs = await Promise.all([1, 2].map(() => fleet('--devices', '12', '--json')));
    const [first, second] = runs.map(({ stdout }) => {
      const { wallMs, idleBytesPerDevice, ...report } = JSON.parse(stdout);
      expect([typeof wallMs, typeof idleBytesPerDevice]).toEqual(['number', 'number']);
      return report;
    });
    expect(second).toEqual(first);
  });

  it('gives the requested number of phones the shipped app, and prints the default number', async () => {
    const all = await fleet('--devices', '4', '--shipped-app', '100', '--json');
    expect(Object.keys(JSON.parse(all.stdout).profiles)).toEqual(['shipped-app']);
    const none = await fleet('--devices', '4', '--shipped-app', '0', '--json');
    expect(Object.keys(JSON.parse(none.stdout).profiles)).toEqual(['own']);
    expect((await fleet('--shipped-app', '101')).code).toBe(2);
    const help = (await fleet('--help')).stdout.replace(/\s+/g, ' ');
    expect(help).toMatch(/--shipped-app <percent>.*phones with the shipped app.*\(default: 50\)/);
  });

  it('lets gardens live through days, and tells what their phones read and what was planted', async () => {
    const run = await fleet('--devices', '6', '--days', '8', '--json');
    expect(run.stderr).toBe('');
    const report = JSON.parse(run.stdout);
    expect(report).toMatchObject({ seed: 1, devices: 6, days: 8, failures: 0 });
    expect(report.rows).toBeGreaterThan(6 * 8 * 24);
    expect(JSON.parse(await readFile(path.join(directory, 'year.json'), 'utf8'))).toEqual(report);
  });

  it('reports errors in one sentence', async () => {
    const image = await fleet('--image', 'README.md');
    expect([image.code, image.stderr]).toEqual([1, expect.stringContaining('README.md is not an MCUboot image')]);
    const elsewhere = await fleet('--api', 'https://api.example.com');
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('A token is required')]);
    expect((await fleet('--devices', '0')).code).toBe(2);
  });
});
