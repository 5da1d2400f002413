import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../../tools/run/local-stack/gateway/relay-gateway.ts';
import type { Stack } from '../../tools/run/local-stack/stack.ts';
import { startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';
import { firmware, GOOD, withVersion } from '../support/firmware.ts';
import { runTool, startTool } from '../support/run-tool.ts';
import { runningStack } from '../support/running-stack.ts';

let directory: string;
let stack: Stack;
let stop: () => Promise<void>;
beforeAll(async () => {
  ({ directory, stack, stop } = await runningStack());
});
afterAll(() => stop());

const here = () => ['--stack', directory];
const provision = (...args: string[]) => runTool('factory:provision', [...here(), ...args]);
const publish = (...args: string[]) => runTool('ota:publish', [...here(), ...args]);
const image = (name: string) => path.join('test/fixtures/firmware', name);

describe('the factory tool', () => {
  it('prints a label with serial, claim code and QR code, and the same serial when repeated', async () => {
    const first = await provision('--hw-id', 'E2:E0:00:00:00:01');
    expect(first.code).toBe(0);
    const serial = /Serial {6}(\d{6})/.exec(first.stdout)?.[1];
    expect(serial).toBeDefined();
    expect(first.stdout).toMatch(/Claim code {2}[0-9A-Z]{5}-[0-9A-Z]{4}[0-9A-Z*~$=]/);
    expect(first.stdout).toContain('██');
    const again = await provision('--hw-id', 'E2:E0:00:00:00:01');
    expect(again.stdout).toContain(`Serial      ${serial}`);
    expect(again.stdout).toContain('already known');
  });

  it('never assigns a serial twice from four stations at once', async () => {
    const hwIds = (station: number) => ['E2E1AAAA0001', 'E2E1AAAA0002', `E2E1BBBB000${station}`];
    const runs = await Promise.all([0, 1, 2, 3].map((station) => provision('--json', '--hw-id', ...hwIds(station))));
    const devices = runs.flatMap(({ stdout }) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    const bySerial = new Map(devices.map(({ serial, hw_id }) => [serial, hw_id]));
    const byHwId = new Map(devices.map(({ serial, hw_id }) => [hw_id, serial]));
    expect(devices).toHaveLength(12);
    expect(bySerial.size).toBe(6);
    expect(byHwId.size).toBe(6);
  });

  it('reports errors in one sentence and exits with 1', async () => {
    const bad = await provision('--hw-id', 'nope');
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/^Error: POST \/provision returned 400 validation_failed/);
    const token = await provision('--hw-id', 'E2E000000002', '--token', 'wrong-token-wrong-token');
    expect(token.stderr).toContain('401 invalid_token');
    const pair = await provision('--hw-id', 'E2E000000002', '--metadata', 'novalue');
    expect(pair.stderr).toContain('key=value');
    const nobody = await runTool('factory:provision', [
      '--hw-id',
      'E2E000000002',
      '--api-base-url',
      'http://127.0.0.1:9',
      '--token',
      'x',
    ]);
    expect(nobody.stderr).toContain("can't be reached");
    const nowhere = await runTool('factory:provision', ['--hw-id', 'E2E000000002', '--stack', '/nowhere']);
    expect(nowhere.stderr).toContain('npm run dev');
  });

  it('exits with 2 for wrong usage and prints its help', async () => {
    expect((await provision()).code).toBe(2);
    const help = await provision('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Examples:');
  });
});

describe('the release tool', () => {
  it('publishes an image and can be run again', async () => {
    const first = await publish(
      '--artifact-path',
      image(GOOD['1.1.0']),
      '--channel',
      'stable',
      '--board',
      'arduino_nano_33_ble',
    );
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('1.1.0 is offered on stable');
    const again = await publish('--artifact-path', image(GOOD['1.1.0']), '--channel', 'stable', '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ version: '1.1.0', artifact_size_bytes: 98_967 });
  });

  it('continues where an earlier run was interrupted', async () => {
    const bytes = firmware(GOOD['2.0.0']);
    const { createHash } = await import('node:crypto');
    await fetch(new URL('/ota/releases', stack.info.apiBaseUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'x-admin-token': stack.info.adminToken },
      body: JSON.stringify({
        version: '2.0.0',
        artifact_size_bytes: bytes.byteLength,
        artifact_sha256: createHash('sha256').update(bytes).digest('hex'),
      }),
    });
    const run = await publish('--artifact-path', image(GOOD['2.0.0']));
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('2.0.0 is offered');
  });

  it('rejects an unsuitable image before sending anything', async () => {
    const none = await publish('--artifact-path', image('not-mcuboot.bin'));
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('not a signed MCUboot image')]);
    const other = await publish('--artifact-path', image(GOOD['1.0.0']), '--version', '1.0.1');
    expect([other.code, other.stderr]).toEqual([
      3,
      expect.stringContaining("--version says 1.0.1, the image's header says 1.0.0"),
    ]);
    const flipped = await publish('--artifact-path', image('bit-flip-1.2.0.signed.bin'));
    expect([flipped.code, flipped.stderr]).toEqual([3, expect.stringContaining('hash')]);
    const stranger = await publish('--artifact-path', image('wrong-key-1.2.0.signed.bin'));
    expect([stranger.code, stranger.stderr]).toEqual([3, expect.stringContaining('not registered for this board')]);
    const unsigned = await publish('--artifact-path', image('unsigned-1.2.0.bin'));
    expect([unsigned.code, unsigned.stderr]).toEqual([3, expect.stringMatching(/nobody has signed it|not signed/)]);
    // No draft was left to block the version for the signed image.
    const draft = await fetch(new URL('/ota/releases/1.2.0', stack.info.apiBaseUrl), {
      headers: { 'x-admin-token': stack.info.adminToken },
    });
    expect(draft.status).toBe(404);
    const odd = await publish('--artifact-path', image(GOOD['1.0.0']), '--version', 'latest');
    expect(odd.stderr).toContain('not a semantic version');
    expect((await publish('--artifact-path', '/no/such/file')).stderr).toContain("Can't read");
  });

  it('does not replace a version with other bytes', async () => {
    const file = path.join(directory, 'other.bin');
    await writeFile(file, withVersion(firmware(GOOD['1.0.0']), '1.1.0'));
    const run = await publish('--artifact-path', file, '--channel', 'stable');
    expect(run.code).toBe(3);
    expect(run.stderr).toMatch(/release_exists.*raise it/);
  });
});

describe('npm run ota', () => {
  const ota = (...args: string[]) => runTool('ota', [...args, ...here()]);

  it('shows every step of publishing and changes nothing on a dry run', async () => {
    const args = [
      'publish',
      '--artifact-path',
      image(GOOD['1.1.0']),
      '--channel',
      'dry',
      '--rollout-pct',
      '5',
      '--dry-run',
    ];
    const run = await ota(...args);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /nothing was changed.*1\. read .*1\.1\.0.*2\. register.*3\. upload.*4\. publish it to 5 %/s,
    );
    expect(JSON.parse((await ota(...args, '--json')).stdout)).toMatchObject({ dry_run: true, version: '1.1.0' });
    expect((await ota('list', '--channel', 'dry')).stdout).toContain('No releases on dry');
  });

  it('agrees with the VERSION file and the tag of a source tree, or refuses', async () => {
    const source = await mkdtemp(path.join(directory, 'source-'));
    const from = ['publish', '--artifact-path', image(GOOD['1.1.0']), '--source-dir', source, '--dry-run'];
    await writeFile(path.join(source, 'VERSION'), 'VERSION_MAJOR = 1\nVERSION_MINOR = 1\nPATCHLEVEL = 0\n');
    expect((await ota(...from)).code).toBe(0);
    const git = (...args: string[]) => promisify(execFile)('git', ['-C', source, ...args]);
    await git('init', '--quiet');
    await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--allow-empty', '-qm', 'a');
    await git('tag', 'v1.2.0');
    const tagged = await ota(...from);
    expect([tagged.code, tagged.stderr]).toEqual([3, expect.stringContaining('the git tag says 1.2.0')]);
    await writeFile(path.join(source, 'VERSION'), 'two');
    expect((await ota(...from)).stderr).toContain('does not contain a semantic version');
  });

  it('builds with west when there is no image, and reports a missing west', async () => {
    const plan = await ota('publish', '--sysbuild', '--pristine', '--source-dir', 'app', '--dry-run');
    expect(plan.stdout).toContain(
      'west build --board arduino_nano_33_ble --build-dir build --sysbuild --pristine always app',
    );
    expect(plan.stdout).toContain(path.join('build', 'app', 'zephyr', 'zephyr.signed.bin'));
    const tools = await mkdtemp(path.join(directory, 'tools-'));
    const built = path.join(tools, 'build');
    const withPath = (PATH: string) => ({ env: { PATH } });
    const args = ['publish', '--channel', 'west', '--source-dir', tools, '--build-dir', built, ...here()];
    const none = await runTool('ota', args, withPath(tools));
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('west was not found')]);
    // A west that accepts the options and writes an image to the usual place.
    const west = `#!/bin/sh\nmkdir -p "${built}/zephyr"\ncp "${path.resolve(image(GOOD['1.1.0']))}" "${built}/zephyr/zephyr.signed.bin"\n`;
    await writeFile(path.join(tools, 'west'), west, { mode: 0o755 });
    const run = await runTool('ota', args, withPath(`${tools}:${process.env['PATH']}`));
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('1.1.0 is offered on west')]);
    await writeFile(path.join(tools, 'west'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
    const broken = await runTool('ota', args, withPath(`${tools}:${process.env['PATH']}`));
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('exit code 7')]);
    const skipped = await runTool('ota', [...args, '--skip-build'], withPath(`${tools}:${process.env['PATH']}`));
    expect(skipped.code).toBe(0);
  });

  it('widens, pauses, resumes, promotes and withdraws, and prints what it did', async () => {
    const at = ['--channel', 'cli'];
    await publish('--artifact-path', image(GOOD['1.1.0']), ...at, '--rollout-pct', '0');
    expect((await ota('rollout', '1.1.0', '12.5', ...at)).stdout).toContain('published, 12.5 %');
    expect((await ota('rollout', '1.1.0', ...at)).stderr).toContain('Nothing to change');
    expect((await ota('rollout', '1.1.0', '101', ...at)).code).toBe(2);
    expect((await ota('rollout', '1.1.0', '--halt-alarm-ratio', '2.5', ...at)).code).toBe(0);
    expect((await ota('show', '1.1.0', ...at)).stdout).toContain('at 2.5 × other versions’, from 100 days');
    expect((await ota('rollout', '1.1.0', '--halt-alarm-ratio', '1', ...at)).code).toBe(2);
    expect((await ota('rollout', '1.1.0', '--allowlist', '000001', ...at)).stdout).toContain('12.5 % + 1 listed');
    expect((await ota('pause', '1.1.0', '--reason', 'a doubt', ...at)).stdout).toContain('paused');
    expect((await ota('pause', '1.1.0', ...at)).stdout).toContain('nothing to change');
    const early = await ota('promote', '1.1.0', '--from', 'cli', '--channel', 'cli-stable');
    expect([early.code, early.stderr]).toEqual([3, expect.stringContaining('release_state_conflict')]);
    await ota('resume', '1.1.0', ...at);
    const promoted = await ota(
      'promote',
      '1.1.0',
      '--from',
      'cli',
      '--channel',
      'cli-stable',
      '--rollout-pct',
      '10',
      '--json',
    );
    expect(JSON.parse(promoted.stdout)).toMatchObject({ changed: true, release: { rollout_pct: 10 } });
    expect((await ota('show', '1.1.0', ...at)).stdout).toMatch(/State {9}published.*pause +by admin: a doubt/s);
    expect((await ota('list', ...at)).stdout).toMatch(/1\.1\.0 +published +12\.5 % \+ 1 listed/);
    expect((await ota('stats', '1.1.0', '--check', ...at)).stdout).toMatch(
      /1\.1\.0: published.*0 of 0 finished devices/s,
    );
    expect((await ota('who', '1.1.0', ...at)).stdout).toMatch(/\d+ of \d+ devices of arduino_nano_33_ble/);
    expect((await ota('withdraw', '1.1.0', ...at)).stdout).toContain('withdrawn');
    const gone = await ota('resume', '1.1.0', ...at);
    expect(gone.code).toBe(3);
    expect((await ota('stats', '9.9.9', ...at)).stderr).toContain('release_not_found');
  });

  it("manages a board's keys", async () => {
    const keys = (...args: string[]) => runTool('ota:keys', [...args, ...here()]);
    const [listed, signing] = await Promise.all([keys('list'), keys('signing', '--json')]);
    expect(listed.stdout).toMatch(/ecdsa-p256 .*development key of this repository/);
    expect(JSON.parse(signing.stdout).keys).toHaveLength(1);
    const board = ['--board', 'other_board'];
    expect((await keys('list', ...board)).stdout).toContain('npm run ota:keys -- add');
    const added = await keys('add', image('dev-signing-key.pub.pem'), '--json', ...board);
    const { key_hash: hash } = JSON.parse(added.stdout);
    expect((await keys('remove', hash, ...board)).stdout).toContain('no longer trusted for other_board');
    expect((await keys('remove', hash, ...board)).stderr).toContain('key_not_found');
    const secret = await keys('add', image('dev-signing-key.pem'), ...board);
    expect([secret.code, secret.stderr]).toEqual([1, expect.stringContaining('private key')]);
  });

  it('prints its help', async () => {
    const help = await runTool('ota', ['--help']);
    for (const name of [
      'publish',
      'list',
      'show',
      'rollout',
      'pause',
      'resume',
      'withdraw',
      'promote',
      'stats',
      'keys',
    ]) {
      expect(help.stdout).toContain(`  ${name}`);
    }
    expect((await runTool('ota', ['rollout', '--help'])).stdout).toContain('Examples:');
  });
});

describe('npm run fleet', () => {
  const fleet = (...args: string[]) => runTool('fleet', [...args, ...here()]);

  it('lists, shows and counts devices as text, CSV and JSON', async () => {
    await provision(
      '--hw-id',
      'F1EE70000001',
      'F1EE70000002',
      '--metadata',
      'batch=cli',
      '--station',
      'line-7',
      '--json',
    );
    const list = await fleet('list', '--batch', 'cli');
    expect(list.stdout).toMatch(/F1EE70000001 +active .*2 devices/s);
    const csv = (await fleet('list', '--batch', 'cli', '--csv')).stdout.trim().split('\n');
    expect(csv[0]).toMatch(/^serial,hw_id,status,/);
    expect(csv).toHaveLength(3);
    const [one] = (await fleet('list', '--batch', 'cli', '--json')).stdout.split('\n');
    expect(JSON.parse(one ?? '')).toMatchObject({ hw_id: 'F1EE70000001', batch: 'cli' });
    expect((await fleet('show', 'F1EE70000001')).stdout).toMatch(/batch +cli/);
    expect((await fleet('show', '999995')).stderr).toContain('There is no device 999995');
    expect((await fleet('audit', 'F1EE70000001')).stdout).toMatch(/provision +factory:line-7/);
    expect((await fleet('summary')).stdout).toMatch(/devices.*By status.*By version.*By day/s);
    expect(JSON.parse((await fleet('summary', '--days', '1', '--json')).stdout).by_day).toHaveLength(1);
    expect((await fleet('list', '--batch', 'none')).stdout).toContain('No devices found');
    expect((await fleet('list', '--status', 'sold')).code).toBe(2);
  });

  it("changes a device's state, each time with a reason", async () => {
    await provision('--hw-id', 'F1EE70000003', 'F1EE70000004', '--status', 'factory_only', '--json');
    const device = 'F1EE70000003';
    expect((await fleet('activate', device)).stdout).toContain('can be claimed now; it was factory_only before');
    expect((await fleet('reissue', device)).stdout).toMatch(/claim code [0-9A-Z]{5}-[0-9A-Z]{4}[0-9A-Z*~$=]/);
    expect((await fleet('revoke', device, '--reason', 'RMA 17')).stdout).toContain('is out of service');
    expect((await fleet('replace', device, 'F1EE70000004')).stderr).toContain('no_former_owner');
    expect((await fleet('reactivate', device, '--json')).stdout).toContain('"previous_state":"revoked"');
    expect((await fleet('audit', device)).stdout).toMatch(/revoke +factory:workshop: RMA 17/);
    expect((await fleet('revoke', device)).code).toBe(0);
    expect((await fleet('revoke', device)).stderr).toContain('already_revoked');
  });
});

/** Everything stored permanently, as a backup would contain it, so without rate-limit counters. */
async function exportedTables(): Promise<unknown> {
  const folder = path.join(await mkdtemp(path.join(directory, 'build', 'backup-')), 'copy');
  const { tables, objects } = JSON.parse((await runTool('backup', ['export', folder, ...here(), '--json'])).stdout);
  return { ...tables, 'rate-limits': undefined, objects };
}

describe('the smoke test', () => {
  it('passes against the running stack, with text and JSON output', async () => {
    const run = await runTool('smoke', ['--api-base-url', stack.info.apiBaseUrl]);
    expect(run.stdout).toMatch(/\d+ checks passed, 0 failed/);
    expect(run.code).toBe(0);
    const json = await runTool('smoke', [...here(), '--json']);
    const { failed, checks } = JSON.parse(json.stdout);
    expect([failed, checks.map(({ name }: { name: string }) => name)]).toEqual([
      0,
      expect.arrayContaining(['the relay refuses a connection with a wrong token']),
    ]);
  });

  it('checks the OTA admin routes with the token, which it does not print, and writes JUnit', async () => {
    const file = path.join(directory, 'smoke.xml');
    const before = await exportedTables();
    const run = await runTool('smoke', [...here(), '--admin-token', '--junit', file]);
    expect(run.stderr).toBe('');
    for (const name of ['/ota/releases', '/ota/releases/{version}/stats', '/ota/keys']) {
      expect(run.stdout).toContain(`GET ${name} accepts the admin token`);
    }
    expect(run.stdout).toContain('refuses a token that differs in its last character');
    const xml = await readFile(file, 'utf8');
    expect(xml).toMatch(/<testsuite[^>]*failures="0"/);
    expect(xml).toContain('name="GET /health is alive"');
    expect(run.stdout + xml).not.toContain(stack.info.adminToken);
    expect(await exportedTables(), 'a smoke test only reads').toEqual(before);
  });

  it('fails with exit code 1 and the reason when something is wrong', async () => {
    const impostor = await startStandIn(async (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"ok":true}');
    }, undefined);
    const run = await runTool('smoke', ['--api-base-url', impostor.url]);
    await impostor.stop();
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('✗ GET /health/stripe is healthy');
    expect(run.stderr).toContain('POST /claimDevice refuses a caller without credentials');
    expect((await runTool('smoke', ['--api-base-url', 'http://127.0.0.1:9'])).code).toBe(1);
    const openDoor = await startGateway({ stage: 'open', accessKey: { id: 'a', secret: 'b' } });
    openDoor.deliverTo(async () => ({ statusCode: 200 }));
    const letIn = await runTool('smoke', [...here(), '--relay-url', openDoor.url]);
    await openDoor.stop();
    expect([letIn.code, letIn.stdout]).toEqual([1, expect.stringContaining('status 101 instead of 401 or 403')]);
  });
});

describe('the relay tool', () => {
  const relay = (command: string, ...args: string[]) => runTool('relay', [command, ...here(), ...args]);
  const keyFile = (peer: string) => path.join(directory, 'relay', `${peer}.json`);
  const lines = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('registers peers with keys that only their owner may read, and the same peer when repeated', async () => {
    const early = await relay('tail');
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('npm run relay -- register')]);
    const first = lines((await relay('register', '--json')).stdout)[0];
    const [again, phone] = await Promise.all([
      relay('register', '--json'),
      relay('register', '--peer', 'phone', '--type', 'phone', '--name', 'Ana’s phone'),
    ]);
    expect(lines(again.stdout)[0]).toEqual(first);
    expect([phone.code, (await stat(keyFile('phone'))).mode & 0o777]).toEqual([0, 0o600]);
    const taken = await relay('register', '--peer', 'tablet', '--name', 'ANA’S PHONE');
    expect([taken.code, taken.stderr]).toEqual([3, expect.stringContaining('--name')]);
    const peers = lines((await relay('peers', '--json')).stdout);
    expect(peers.map(({ name, type }) => [name, type])).toContainEqual(['Ana’s phone', 'phone']);
  });

  it('refuses a key file that others may read, or that is none', async () => {
    const file = path.join(directory, 'open.json');
    await writeFile(file, await readFile(keyFile('phone')), { mode: 0o644 });
    const open = await relay('publish', '--key', file, 'notes', '1');
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining(`chmod 600 ${file}`)]);
    await writeFile(file, '{}');
    await chmod(file, 0o600);
    expect((await relay('publish', '--key', file, 'notes', '1')).stderr).toContain("not a peer's key file");
  });

  it('follows what another peer publishes, with who comes and goes, until Ctrl-C, which is no failure', async () => {
    const tail = startTool('relay', ['tail', ...here(), '--json']);
    await tail.printed(/"state":"online"/);
    const published = await relay(
      'publish',
      '--peer',
      'phone',
      'zones',
      '{"minutes":10}',
      '--event-key',
      'zone-1',
      '--json',
    );
    expect(lines(published.stdout)).toMatchObject([{ stream: 'zones', seq: 1 }]);
    await tail.printed(/"kind":"event"/);
    tail.child.kill('SIGINT');
    const { code, stdout, stderr } = await tail.ended;
    expect([code, stderr]).toEqual([0, '']);
    const told = lines(stdout);
    expect(told).toContainEqual(expect.objectContaining({ kind: 'presence', name: 'Ana’s phone', online: true }));
    expect(told.filter(({ kind }) => kind === 'event')).toEqual([
      expect.objectContaining({ stream: 'zones', seq: 1, key: 'zone-1', payload: { minutes: 10 } }),
    ]);
  });

  it('exits with 3 on a conflict and shows the event that won', async () => {
    const late = await relay('publish', 'zones', '{"minutes":5}', '--event-key', 'zone-1', '--if-seq', '0');
    expect([late.code, late.stderr]).toEqual([3, expect.stringMatching(/Conflict: .*"minutes":10.*--if-seq 1/)]);
    const merged = await relay('publish', 'zones', '{"minutes":15}', '--event-key', 'zone-1', '--if-seq', '1');
    expect([merged.code, merged.stdout]).toEqual([0, 'zones 2\n']);
  });

  it('lists streams, and replays one in order and in pages', async () => {
    expect(lines((await relay('streams', '--json')).stdout)).toMatchObject([{ stream: 'zones', head: 2 }]);
    const all = lines((await relay('replay', 'zones', '--json')).stdout);
    expect(all.map(({ seq }) => seq)).toEqual([1, 2]);
    const rest = await relay('replay', 'zones', '--after', '1', '--limit', '1');
    expect(rest.stdout).toMatch(/zones 2 .*\{"minutes":15\}/);
    const none = await relay('replay', 'nothing');
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('npm run relay -- streams')]);
  });

  it('revokes a peer by name, whose tail ends at once and whose key is never accepted again', async () => {
    const tail = startTool('relay', ['tail', ...here(), '--peer', 'phone', '--json']);
    await tail.printed(/"state":"online"/);
    expect((await relay('revoke', 'ana’s phone')).code).toBe(0);
    const { code, stderr } = await tail.ended;
    expect([code, stderr]).toEqual([3, expect.stringContaining('was revoked')]);
    expect((await relay('publish', '--peer', 'phone', 'zones', '1')).code).toBe(3);
    const back = await relay('register', '--peer', 'phone');
    expect([back.code, back.stderr]).toEqual([3, expect.stringContaining('--peer')]);
    expect((await relay('revoke', 'nobody')).code).toBe(3);
  });

  it('exits with 2 for wrong usage, and asks for token or key without the local stack', async () => {
    expect((await relay('publish', 'zones', 'no JSON')).code).toBe(2);
    expect((await relay('tail', '--peer', '../cli')).code).toBe(2);
    const api = ['--api', stack.info.apiBaseUrl];
    const nobody = await runTool('relay', ['peers', ...api]);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('--key')]);
    // A key file knows the relay's address.
    const peers = await runTool('relay', ['peers', ...api, '--key', keyFile('cli'), '--json']);
    expect(lines(peers.stdout)).toHaveLength(1);
  });
});

describe('npm run sim:fleet -- --api', () => {
  it("provisions devices, lets owners claim them, and updates them from the backend's offers", async () => {
    // An older image is not offered to any of its devices: 1.0.0 stays, 1.1.0 and later are published by now.
    await publish('--artifact-path', image(GOOD['1.1.0']), '--channel', 'stable');
    const report = path.join(directory, 'sim-fleet');
    const run = await runTool('sim:fleet', [...here(), '--api', '--devices', '6', '--report', report, '--json']);
    expect(run.stderr).toBe('');
    const { online, devices, outcomes, phases } = JSON.parse(run.stdout);
    expect([online, devices, run.code]).toEqual([true, 6, 0]);
    const sum = Object.values<number>(outcomes).reduce((all, one) => all + one, 0);
    expect([sum, outcomes.confirmed >= 3]).toEqual([6, true]);
    expect(phases.confirming.count).toBe(outcomes.confirmed);
    // The backend knows the devices from their phones' reports.
    const listed = await runTool('fleet', ['list', '--json', ...here()]);
    expect(listed.stdout).toMatch(/"batch":"sim-[0-9A-F]{8}"/);
  }, 60_000);
});
