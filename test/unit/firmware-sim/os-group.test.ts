import { type CborMap, GROUP } from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testBench } from '../../support/test-bench.ts';

/** A device, and a client for its OS group. */
async function connected() {
  const { time, device, connect } = testBench();
  let client = await connect();
  return {
    read: (command: number) => time.run(() => client.request({ op: 'read', group: GROUP.os, command })),
    write: (command: number, fields: CborMap) =>
      time.run(() => client.request({ op: 'write', group: GROUP.os, command, fields })),
    pass: (ms: number) => time.advance(ms),
    async reset() {
      device.reset();
      await time.advance(1_000);
      client = await connect();
    },
  };
}

const DATETIME = 4;

describe('the clock of a device', () => {
  it('is unset after a start, runs once set, and is lost with the next reset', async () => {
    const os = await connected();
    await expect(os.read(DATETIME)).rejects.toThrow('clockNotSet');
    await os.write(DATETIME, { datetime: '2026-11-21T23:59:58' });
    await os.pass(3_500);
    expect((await os.read(DATETIME)).get('datetime')).toBe('2026-11-22T00:00:01');
    await os.reset();
    await expect(os.read(DATETIME)).rejects.toThrow('clockNotSet');
  });

  it.each(['2026-11-21 10:00:00', '2026/11/21x10.00.00', '2026-11-21T10:00:00.123', '2026-11-21T10:00:00+01:00'])(
    'takes %s',
    async (text) => {
      const os = await connected();
      await os.write(DATETIME, { datetime: text });
      expect((await os.read(DATETIME)).get('datetime')).toBe('2026-11-21T10:00:00');
    },
  );

  it.each([
    '2026-11-21T10:00',
    '2026-11-21T10:00:00.123456+0',
    '2026-13-21T10:00:00',
    '2026-00-21T10:00:00',
    '2026-11-32T10:00:00',
    '2026-11-21T24:00:00',
    '2026-11-21T10:60:00',
    '2026-11-21T10:00:60',
    '1899-11-21T10:00:00',
    'at tea time, please',
  ])('refuses %s', async (text) => {
    const os = await connected();
    await expect(os.write(DATETIME, { datetime: text })).rejects.toThrow('invalid');
    await expect(os.read(DATETIME)).rejects.toThrow('clockNotSet');
  });

  it('returns every moment that it was set to, to the second', async () => {
    const os = await connected();
    const moment = fc.date({ min: new Date('1900-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(moment, async (date) => {
        const text = date.toISOString().slice(0, 19);
        await os.write(DATETIME, { datetime: text });
        expect((await os.read(DATETIME)).get('datetime')).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it('rejects a number, and a missing time', async () => {
    const os = await connected();
    await expect(os.write(DATETIME, { datetime: 20261121 })).rejects.toThrow('invalid');
    await expect(os.write(DATETIME, {})).rejects.toThrow('invalid');
  });
});

it("task statistics list the firmware's threads, none using more than its stack", async () => {
  const tasks = (await (await connected()).read(2)).get('tasks');
  if (!(tasks instanceof Map)) throw new Error('no tasks');
  expect([...tasks.keys()]).toEqual(expect.arrayContaining(['main', 'smp', 'idle']));
  for (const task of tasks.values()) {
    expect([...task.keys()]).toEqual(['prio', 'tid', 'state', 'stksiz', 'stkuse']);
    expect(task.get('stkuse')).toBeLessThan(task.get('stksiz'));
  }
});

it('memory pools are documented but have no handler, as in Zephyr', async () => {
  await expect((await connected()).read(3)).rejects.toThrow('notSupported');
});
