import { dropReasonOf, type Intent, refusalOf, startRun } from '@autowatering/device-data';
import {
  type CarrierReport,
  type Characteristic,
  carryCommand,
  commandClient,
  Garden,
  type GardenOptions,
  type GardenReach,
  gardenAtHand,
  type LeasedCommand,
  runErrand,
  virtualAir,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, JUNE, MINUTE } from '../../support/garden.ts';
import { testBench } from '../../support/test-bench.ts';

const always = { from: JUNE, until: JUNE + 365 * DAY };
const water: Intent = { kind: 'water', channel: 2, minutes: 5 };

/** A garden and a carrier beside it, in the garden's own time. */
function besideGarden(options: Partial<GardenOptions> = {}) {
  const garden = new Garden({ startsAt: JUNE, seed: 1, ...options });
  const reach = gardenAtHand(garden, 247);
  return {
    ...{ garden, reach },
    wait: (ms: number) => garden.advanceTo(garden.now + ms),
    start: (channel: number, minutes: number) => {
      const { characteristic, bytes } = startRun(channel, { minutes });
      return reach.gatt.write(characteristic, bytes);
    },
    carry: (intent: Intent, more: Partial<LeasedCommand> = {}, by: GardenReach = reach): Promise<CarrierReport> =>
      carryCommand({ reach: by, command: leased(intent, garden.now, more) }),
  };
}

function leased(intent: Intent, now: number, more: Partial<LeasedCommand> = {}): LeasedCommand {
  const lease = { serial: 'S', commandId: 'C', fence: 1, until: now + HOUR, mustLook: false, firstTakenAt: now };
  return { ...lease, intent, ...more };
}

/** Does something just before the carrier's first write there. */
function beforeWrite(reach: GardenReach, where: Characteristic, act: () => Promise<void> | void): GardenReach {
  let isOver = false;
  const write: GardenReach['gatt']['write'] = async (characteristic, bytes) => {
    if (characteristic === where && !isOver) {
      isOver = true;
      await act();
    }
    return reach.gatt.write(characteristic, bytes);
  };
  const { mtu, read, subscribe, unsubscribe } = reach.gatt;
  return {
    gatt: { mtu, read, subscribe, unsubscribe, write },
    now: () => reach.now(),
    wait: (ms, answer) => reach.wait(ms, answer),
  };
}

const reasonOf = (intent: Intent, report: CarrierReport) =>
  report.outcome === 'refused' ? refusalOf(intent, report.attError, report.observed) : report.outcome;

describe('a carrier', () => {
  it('sees the water run that it started', async () => {
    const { carry, garden } = besideGarden();
    expect((await carry(water)).outcome).toBe('seen');
    expect(garden.shown().running).toMatchObject({ channel: 2, value: 5 });
  });

  it('shows that frost refused a start', async () => {
    const { carry } = besideGarden({ startsAt: Date.UTC(2026, 0, 10) });
    const report = await carry(water);
    expect(report).toMatchObject({ outcome: 'refused', attError: 0x03 });
    expect(reasonOf(water, report)).toBe('freeze');
  });

  it('shows that rain refused a start', async () => {
    const { carry, wait } = besideGarden();
    const short: Intent = { kind: 'water', channel: 3, minutes: 1 };
    let report = await carry(short);
    for (let hours = 0; hours < 2_000 && report.outcome === 'seen'; hours += 1) {
      wait(HOUR);
      report = await carry(short);
    }
    expect(reasonOf(short, report)).toBe('rain_skip');
  });

  it('shows that the queue was filled before its write', async () => {
    const { carry, start, reach } = besideGarden();
    const filled = beforeWrite(reach, 'def1', async () => {
      for (let runs = 0; runs < 30; runs += 1) await start(1, 5).catch(() => {});
    });
    expect(reasonOf(water, await carry(water, {}, filled))).toBe('queue_full');
  });

  it('sees nothing of a start that a locked channel drops, and shows the lock', async () => {
    const { carry, start, wait } = besideGarden({ faults: [{ kind: 'valve_stuck_closed', zone: 2, ...always }] });
    for (let runs = 0; runs < 3; runs += 1) {
      await start(2, 5);
      wait(20 * MINUTE);
    }
    const report = await carry(water);
    expect(report.outcome).toBe('nothing_seen');
    expect(dropReasonOf(water, 'observed' in report ? report.observed : [])).toBe('channel_locked');
  });

  it('leaves a busy device alone', async () => {
    const { carry, start, wait, garden } = besideGarden();
    await start(1, 30);
    wait(5_000);
    const busy = { outcome: 'gave_up', wrote: 'no', reason: 'device_busy' };
    expect(await carry(water)).toEqual(busy);
    expect(await carry(water, { mustLook: true })).toEqual(busy);
    wait(HOUR);
    expect(garden.truth.runs).toMatchObject([{ zone: 1, end: 'completed' }]);
  });

  it('writes nothing when its lease is about to end', async () => {
    const { carry, garden, wait } = besideGarden();
    expect(await carry(water, { until: garden.now + 1_000 })).toEqual({
      ...{ outcome: 'gave_up', wrote: 'no', reason: 'other' },
    });
    wait(MINUTE);
    expect(garden.shown().running).toBeUndefined();
  });

  it('does not start again a run that is there, or was', async () => {
    const { carry, start, wait, garden } = besideGarden();
    const firstTakenAt = garden.now;
    await start(2, 5);
    wait(10_000);
    expect((await carry(water, { mustLook: true, firstTakenAt })).outcome).toBe('seen');
    wait(10 * MINUTE);
    expect((await carry(water, { mustLook: true, firstTakenAt })).outcome).toBe('seen');
    wait(10 * MINUTE);
    expect(garden.truth.runs).toHaveLength(1);
  });

  it('starts a run that is not there, and none where an empty history leaves it unclear', async () => {
    const { carry, start, wait, garden } = besideGarden();
    expect((await carry(water, { mustLook: true })).outcome).toBe('unclear');
    for (let runs = 0; runs < 2; runs += 1) {
      await start(2, 1);
      wait(HOUR);
    }
    expect((await carry(water, { mustLook: true })).outcome).toBe('seen');
    expect(garden.shown().running).toMatchObject({ channel: 2, value: 5 });
  });

  it('stops what runs, and finds it stopped when it comes again', async () => {
    const { carry, start, wait, garden } = besideGarden();
    await start(2, 30);
    wait(10_000);
    expect((await carry({ kind: 'stop' })).outcome).toBe('seen');
    expect(garden.shown().openValves).toEqual([]);
    expect((await carry({ kind: 'stop' }, { mustLook: true })).outcome).toBe('seen');
  });

  it('waits for a run that it is to skip, for a while only', async () => {
    const { carry, start, wait, garden } = besideGarden();
    const skip: Intent = { kind: 'skip_next', channel: 2, at: garden.now };
    const before = garden.now;
    expect(await carry(skip)).toMatchObject({ outcome: 'gave_up', reason: 'device_busy' });
    expect(garden.now - before).toBeGreaterThanOrEqual(40_000);
    await start(2, 30);
    expect((await carry(skip, { mustLook: true })).outcome).toBe('seen');
    wait(5_000);
    expect(garden.shown().openValves).toEqual([]);
  });

  it('asks for the code of a reset, and resets with it', async () => {
    const { carry } = besideGarden();
    expect((await carry({ kind: 'reset_channel', channel: 2, what: 'channel' })).outcome).toBe('seen');
  });

  it('may have written when the link is lost during the write, and not when it is lost before', async () => {
    const { carry, reach } = besideGarden();
    const lost = beforeWrite(reach, 'def1', () => reach.close());
    expect(await carry(water, {}, lost)).toEqual({ outcome: 'gave_up', wrote: 'maybe', reason: 'link_lost' });
    expect(await carry(water)).toEqual({ outcome: 'gave_up', wrote: 'no', reason: 'link_lost' });
  });

  it('throws what is no lost link', async () => {
    const { carry, reach } = besideGarden();
    const broken = beforeWrite(reach, 'def1', () => {
      throw new RangeError('a mistake');
    });
    await expect(carry(water, {}, broken)).rejects.toThrow('a mistake');
  });
});

/** A backend that has one command, and a device in a garden on the radio. */
function errands(intent: Intent, answers: { lease?: number[]; state?: string; lookAgain?: number } = {}) {
  const garden = new Garden({ startsAt: JUNE, seed: 1 });
  const { time, link } = testBench({ device: { garden } });
  const now = () => JUNE + time.now();
  const statuses = [...(answers.lease ?? [])];
  const reports: unknown[] = [];
  const command = { command_id: 'C', intent, state: answers.state ?? 'done' };
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (String(url).endsWith('/offers')) {
      return Response.json({ devices: [{ serial: 'S', commands: [command], changes_at: null }] });
    }
    if (String(url).endsWith('/lease')) {
      const status = statuses.shift() ?? 200;
      if (status !== 200) return Response.json({ error: { code: 'no', details: {} } }, { status });
      const times = { leased_until: now() + MINUTE, first_taken_at: now() };
      return Response.json({ command, fence: 7, must_look: false, ...times });
    }
    reports.push(JSON.parse(String(init?.body)));
    const again = reports.length === 1 && answers.lookAgain !== undefined ? now() + answers.lookAgain : null;
    return Response.json({ command, is_done: true, look_again_after: again });
  };
  const client = commandClient({ apiBaseUrl: 'http://backend.test', idToken: 'token', fetch }, 'carrier');
  const written: string[] = [];
  return {
    ...{ client, reports, written },
    /** Somebody else connects first. */
    connect: () => time.run(() => link.connect()),
    run: (signal?: AbortSignal) =>
      runErrand({
        ...{ client, serial: 'S', commandId: 'C', attemptId: 'A', link, air: virtualAir(time), as: 'hub', now },
        ...(signal !== undefined && { signal }),
        onWritten: ({ commandId }) => written.push(commandId),
      }),
  };
}

describe('an errand', () => {
  it('takes a command, carries it over the radio and reports it', async () => {
    const { run, reports, written, client } = errands(water);
    expect(await client.offers(['S'])).toEqual([{ serial: 'S', changesAt: null, commandIds: ['C'] }]);
    expect(await run()).toMatchObject({ told: { state: 'done', isDone: true, lookAgainAfter: null } });
    expect(reports).toMatchObject([{ carrier_id: 'carrier', fence: 7, outcome: 'seen' }]);
    expect(written).toEqual(['C']);
  });

  it.each([409, 404])('does nothing when the lease is answered with %d', async (status) => {
    const { run, reports, written } = errands(water, { lease: [status] });
    expect(await run()).toBeUndefined();
    expect({ reports, written }).toEqual({ reports: [], written: [] });
  });

  it('throws when the backend fails', async () => {
    await expect(errands(water, { lease: [500] }).run()).rejects.toMatchObject({ status: 500 });
  });

  it('reports that the device is out of range when it does not get a connection', async () => {
    const { run, reports, connect } = errands(water);
    await connect();
    await run();
    expect(reports).toMatchObject([{ outcome: 'gave_up', wrote: 'no', reason: 'out_of_range' }]);
  });

  it('reports a lost link when it has to make room', async () => {
    const { run, reports } = errands(water);
    await run(AbortSignal.abort());
    expect(reports).toMatchObject([{ outcome: 'gave_up', wrote: 'no', reason: 'link_lost' }]);
  });

  it('looks again at a stop that came too early, unless somebody else has it then', async () => {
    const again = errands({ kind: 'stop' }, { lookAgain: 5_000 });
    await again.run();
    expect(again.reports).toHaveLength(2);
    const lost = errands({ kind: 'stop' }, { lookAgain: 5_000, lease: [200, 409] });
    await lost.run();
    expect(lost.reports).toHaveLength(1);
  });

  it('does not look again over a link that is lost', async () => {
    const cut = errands({ kind: 'stop' }, { lookAgain: 5_000 });
    await cut.run(AbortSignal.abort());
    expect(cut.reports).toMatchObject([{ outcome: 'gave_up', reason: 'link_lost' }]);
  });
});
