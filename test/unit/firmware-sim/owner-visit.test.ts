import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import {
  BackendError,
  backendClient,
  LinkLostError,
  ReportQueue,
  type VisitOptions,
  visitDevice,
} from '@autowatering/firmware-sim';
import { afterEach, describe, expect, it } from 'vitest';
import { type StandIn, startStandIn } from '../../../tools/run/local-stack/stand-in-server.ts';
import { firmware, GOOD } from '../../support/firmware.ts';
import { type BenchOptions, testBench } from '../../support/test-bench.ts';

const IMAGE = firmware(GOOD['1.1.0']);
const SHA256 = createHash('sha256').update(IMAGE).digest('hex');

interface Told {
  readonly status: string;
  readonly error_code?: string;
  readonly receipt?: unknown;
}

let server: StandIn;
afterEach(() => server.stop());

/** A backend that offers one release and records reports. */
async function offering(
  change: { readonly sha256?: string; readonly size?: number; readonly isOffered?: boolean } = {},
) {
  const told: Told[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '';
    const send = (body: unknown) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
    if (url.startsWith('/image')) response.end(IMAGE);
    else if (url.startsWith('/ota/latest')) {
      const { sha256 = SHA256, size = IMAGE.byteLength, isOffered = true } = change;
      const latest = {
        ...{ version: '1.1.0', artifact: { sha256, size_bytes: size } },
        download: { url: `${server.url}/image` },
      };
      const none = { update_available: false, reason: 'not_in_rollout', latest: null };
      send(isOffered ? { update_available: true, reason: 'offered', latest, receipt_nonce: 'n-1' } : none);
    } else {
      const { reports } = (await json(request)) as { reports: Told[] };
      told.push(...reports);
      send({ results: reports.map(({ receipt }) => ({ outcome: 'recorded', verified: receipt !== undefined })) });
    }
  };
  server = await startStandIn(answer, undefined);
  return { told, statuses: () => told.map(({ status }) => status) };
}

function visit(bench: ReturnType<typeof testBench>, more: Partial<VisitOptions> = {}) {
  return bench.time.run(() =>
    visitDevice({
      ...{ serial: '000001', runningVersion: bench.device.runningVersion ?? '', attemptId: 'a-1', time: bench.time },
      connect: () => bench.link.connect(),
      backend: backendClient({ apiBaseUrl: server.url, idToken: 'token' }),
      outside: (work) => bench.time.outside(work),
      ...more,
    }),
  );
}

const withDevice = (device: BenchOptions['device']) => testBench(device === undefined ? {} : { device });

describe("an owner's visit", () => {
  it('asks, downloads, updates, and reports each phase to the backend', async () => {
    const { told, statuses } = await offering();
    const bench = withDevice(undefined);
    expect(await visit(bench, { phone: { model: 'Fairphone' } })).toMatchObject({
      outcome: 'confirmed',
      isVerified: false,
    });
    expect(statuses()).toEqual(['offered', 'on_phone', 'uploading', 'testing', 'confirmed']);
    expect(told[0]).toMatchObject({
      ...{
        serial: '000001',
        attempt_id: 'a-1',
        version: '1.1.0',
        from_version: '1.0.0',
        phone: { model: 'Fairphone' },
      },
    });
    expect(bench.device.runningVersion).toBe('1.1.0.7');
  });

  it('does nothing when nothing is offered', async () => {
    const { told } = await offering({ isOffered: false });
    expect(await visit(withDevice(undefined))).toEqual({ outcome: 'nothing_offered', reason: 'not_in_rollout' });
    expect(told).toEqual([]);
  });

  it.each([
    ['another file', { sha256: '0'.repeat(64) }, /SHA-256/],
    ['half a file', { size: 2 * IMAGE.byteLength }, /received \d+ of \d+ bytes/],
  ])('sends %s to no device', async (_what, change, reason) => {
    const { told } = await offering(change);
    const bench = withDevice(undefined);
    expect(await visit(bench)).toMatchObject({ outcome: 'bad_download', reason: expect.stringMatching(reason) });
    expect(told.at(-1)).toMatchObject({ status: 'failed', error_code: 'download_damaged' });
    expect(bench.device.boots).toBe(1);
  });

  it.each([
    [
      'is rolled back',
      { application: ({ version }) => (version.minor === 1 ? { selfTest: 'fails' } : {}) },
      'reverted',
      'self_test_failed',
    ],
    [
      'is refused by the bootloader',
      { preventDowngrade: 'version', firmware: firmware(GOOD['2.0.0']) },
      'failed',
      'invalid_image',
    ],
    ['is busy', { isBusy: () => true }, 'failed', 'refused_while_resetting'],
  ] as const satisfies readonly (readonly [string, BenchOptions['device'], string, string])[])(
    'reports the outcome when the device %s',
    async (_what, device, status, error_code) => {
      const { told } = await offering();
      await visit(withDevice(device));
      expect(told.at(-1)).toMatchObject({ status, error_code });
    },
  );

  it('reports that the device went out of reach, without blaming the release', async () => {
    const { told, statuses } = await offering();
    const bench = withDevice(undefined);
    let isGone = false;
    const connect = () => (isGone ? Promise.reject(new LinkLostError('gone')) : bench.link.connect());
    const onPhase = (phase: string) => {
      if (phase !== 'uploading') return;
      isGone = true;
      bench.link.dropAfter(10_000);
    };
    expect(await visit(bench, { connect, onPhase })).toEqual({ outcome: 'lost', phase: 'uploading', version: '1.1.0' });
    expect(statuses()).toEqual(['offered', 'on_phone', 'uploading', 'failed']);
    expect(told.at(-1)).toMatchObject({ error_code: 'link_lost' });
  });

  it('reports the same for a connected device that does not answer', async () => {
    const { told } = await offering();
    const bench = withDevice(undefined);
    bench.device.accept = () => {};
    expect(await visit(bench)).toEqual({ outcome: 'lost', phase: 'inspecting', version: '1.1.0' });
    expect(told.at(-1)).toMatchObject({ status: 'failed', error_code: 'link_lost' });
  });

  it('does not report a trial that it leaves unconfirmed', async () => {
    const { statuses } = await offering();
    expect(await visit(withDevice(undefined), { validate: async () => false })).toMatchObject({
      outcome: 'unconfirmed',
    });
    expect(statuses()).toEqual(['offered', 'on_phone', 'uploading', 'testing']);
  });

  it('also updates without a network and reports everything later, in order', async () => {
    const { statuses } = await offering();
    server.setFaults([
      { match: 'reports', drop: true, times: 1 },
      { match: 'reports', status: 503, times: 2 },
    ]);
    const bench = withDevice(undefined);
    expect(await visit(bench)).toMatchObject({ outcome: 'confirmed' });
    expect(statuses()).toEqual(['offered', 'on_phone', 'uploading', 'testing', 'confirmed']);
    expect(server.faultsMet()).toBe(3);
  });
});

describe('an unavailable backend', () => {
  it.each([
    ['is down', { drop: true }, 'cannot be reached'],
    ['fails', { status: 500, body: '{"error":{}}' }, '/ota/latest answered 500'],
    ['says nonsense', { status: 200, body: '<html>' }, 'gave an unexpected answer'],
    ['says something else', { status: 200, body: '{"latest":7}' }, 'gave an unexpected answer'],
  ] as const)('that %s makes the visit fail with the reason', async (_what, fault, message) => {
    await offering();
    server.setFaults([fault]);
    await expect(visit(withDevice(undefined))).rejects.toThrow(message);
    await expect(visit(withDevice(undefined))).rejects.toBeInstanceOf(BackendError);
  });

  it('whose download fails leaves the device untouched', async () => {
    await offering();
    server.setFaults([{ match: 'image', status: 403 }]);
    await expect(visit(withDevice(undefined))).rejects.toThrow('the download answered 403');
  });

  it('stops when aborted', async () => {
    await offering();
    const controller = new AbortController();
    controller.abort(new Error('the app was closed'));
    const backend = backendClient({ apiBaseUrl: server.url, idToken: 'token', signal: controller.signal });
    await expect(visit(withDevice(undefined), { backend })).rejects.toThrow('the app was closed');
  });
});

it('a report that comes while others are being sent is sent after them', async () => {
  const { statuses } = await offering();
  let letGo = () => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  server.setFaults([{ match: 'reports', until, times: 1 }]);
  const queue = new ReportQueue(backendClient({ apiBaseUrl: server.url, idToken: 'token' }));
  const report = { serial: '1', version: '1.1.0', from_version: '1.0.0', attempt_id: 'a' } as const;
  const first = queue.add({ ...report, status: 'offered' });
  await expect.poll(() => server.faultsMet()).toBe(1);
  const second = queue.add({ ...report, status: 'on_phone' });
  letGo();
  await Promise.all([first, second]);
  expect([statuses(), queue.unsent]).toEqual([['offered', 'on_phone'], []]);
});

it('reports that were never sent are kept', async () => {
  await offering();
  server.setFaults([{ status: 503 }]);
  const queue = new ReportQueue(backendClient({ apiBaseUrl: server.url, idToken: 'token' }));
  const report = { serial: '1', version: '1.1.0', from_version: '1.0.0', attempt_id: 'a', status: 'offered' } as const;
  await queue.add(report);
  expect(queue.unsent).toEqual([report]);
  server.setFaults([]);
  await queue.flush();
  await queue.flush();
  expect(queue.unsent).toEqual([]);
});
