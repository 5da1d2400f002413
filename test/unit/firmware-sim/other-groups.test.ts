import { type CborMap, GROUP } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

/** A device, and a client for any request. */
function asked(options: Parameters<typeof testBench>[0] = {}) {
  const bench = testBench(options);
  const send =
    (op: 'read' | 'write') =>
    (group: number, command: number, fields: CborMap = {}) =>
      bench.ask((_commands, client) => client.request({ op, group, command, fields }));
  return { ...bench, read: send('read'), write: send('write') };
}

const text = (value: unknown) => Buffer.from(value instanceof Uint8Array ? value : []).toString();

describe('the statistics group', () => {
  it('lists its groups and shows the counters of one', async () => {
    const device = asked();
    expect((await device.read(GROUP.statistics, 1)).get('stat_list')).toEqual(['boot', 'smp']);
    const shown = await device.read(GROUP.statistics, 0, { name: 'smp' });
    expect([shown.get('name'), shown.get('fields')]).toEqual(['smp', new Map([['requests', 2]])]);
  });

  it('counts boots by reason, and swaps', async () => {
    const device = asked();
    await device.update(GOOD['1.1.0']);
    await device.reset();
    const fields = (await device.read(GROUP.statistics, 0, { name: 'boot' })).get('fields');
    expect(fields).toEqual(
      new Map(Object.entries({ boots: 3, swaps: 1, power_on: 1, pin: 1, software: 1, watchdog: 0 })),
    );
  });

  it('reports an unknown name', async () => {
    const device = asked();
    await expect(device.read(GROUP.statistics, 0, { name: 'rain' })).rejects.toThrow(
      'statistics error 2 (invalidGroup)',
    );
    for (const name of ['', 'x'.repeat(32), 7]) {
      await expect(device.read(GROUP.statistics, 0, { name })).rejects.toThrow('(invalid)');
    }
    await expect(device.read(GROUP.statistics, 0)).rejects.toThrow('(invalid)');
  });
});

describe('the settings group', () => {
  const name = 'garden/name';

  it('returns written values, which a reset discards unless they were saved', async () => {
    const device = asked();
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('My garden');
    await device.write(GROUP.settings, 0, { name, val: Buffer.from('Balcony') });
    await device.write(GROUP.settings, 2);
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('Balcony');
    await device.reset();
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('My garden');

    await device.write(GROUP.settings, 0, { name, val: Buffer.from('Roof') });
    await device.write(GROUP.settings, 3);
    await device.write(GROUP.settings, 0, { name, val: Buffer.from('Cellar') });
    await device.read(GROUP.settings, 3);
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('Roof');
    await device.reset();
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('Roof');

    await device.write(GROUP.settings, 1, { name });
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('Roof');
    await device.reset();
    expect(text((await device.read(GROUP.settings, 0, { name })).get('val'))).toBe('My garden');
  });

  it('returns no more than requested or fits', async () => {
    const device = asked();
    const short = await device.read(GROUP.settings, 0, { name, max_size: 2 });
    expect([text(short.get('val')), short.has('max_size')]).toEqual(['My', false]);
    const long = await device.read(GROUP.settings, 0, { name, max_size: 1_000 });
    expect([text(long.get('val')), long.get('max_size')]).toEqual(['My garden', 36]);
  });

  it.each([
    [{ name: 'cellar/light' }, 'settings error 5 (rootKeyNotFound)'],
    [{ name: 'garden/gnomes', val: Buffer.from('7') }, 'settings error 3 (keyNotFound)'],
    [{ name: 'g'.repeat(32) }, 'settings error 2 (keyTooLong)'],
    [{ name: '' }, '(invalid)'],
    [{ name: 3 }, '(invalid)'],
    [{}, '(invalid)'],
  ] as const)('refuses to read and to write %j', async (fields, message) => {
    const device = asked();
    await expect(device.write(GROUP.settings, 0, fields)).rejects.toThrow(message);
    await expect(device.read(GROUP.settings, 0, fields)).rejects.toThrow(message);
  });

  it('refuses an invalid value and an invalid size', async () => {
    const device = asked();
    await expect(device.write(GROUP.settings, 0, { name, val: 'text' })).rejects.toThrow('(invalid)');
    await expect(device.read(GROUP.settings, 0, { name, max_size: 'all' })).rejects.toThrow('(invalid)');
  });
});

describe('the shell group', () => {
  it('knows echo, and reports any other command as not found', async () => {
    const device = asked();
    const said = await device.write(GROUP.shell, 0, { argv: ['echo', 'hello', 'garden'] });
    expect([said.get('o'), said.get('ret')]).toEqual(['hello garden\n', 0]);
    const unknown = await device.write(GROUP.shell, 0, { argv: ['rm'] });
    expect([unknown.get('o'), unknown.get('ret')]).toEqual(['rm: command not found\n', -8]);
  });

  it.each([
    [{ argv: [] }, 'shell error 3 (emptyCommand)'],
    [{ argv: [1, 'echo'] }, 'shell error 3 (emptyCommand)'],
    [{ argv: ['echo', 'x'.repeat(300)] }, 'shell error 2 (commandTooLong)'],
    [{ argv: 'echo' }, '(invalid)'],
    [{}, '(invalid)'],
  ])('refuses %j', async (fields, message) => {
    await expect(asked().write(GROUP.shell, 0, fields)).rejects.toThrow(message);
  });

  it('ends the line at the first word that is not text', async () => {
    const said = await asked().write(GROUP.shell, 0, { argv: ['echo', 'a', 7, 'b'] });
    expect(said.get('o')).toBe('a\n');
  });
});

describe('a reset over SMP', () => {
  const reset = { group: GROUP.os, command: 5 };

  it('is refused while the device is busy, unless it is forced', async () => {
    const device = asked({ device: { isBusy: () => true } });
    await expect(device.write(reset.group, reset.command)).rejects.toThrow('SMP error 10 (busy)');
    // The documentation says number. The code takes a boolean and counts anything else as false (facts sheet, B2).
    await expect(device.write(reset.group, reset.command, { force: 1 })).rejects.toThrow('busy');
    await device.write(reset.group, reset.command, { force: true });
    await device.time.advance(1_000);
    expect([device.device.boots, device.device.bootLog.records.at(-1)?.reason]).toEqual([2, 'software']);
  });

  it('answers first and happens a quarter of a second later', async () => {
    const device = asked();
    await device.write(reset.group, reset.command);
    expect(device.device.state).toBe('running');
    await device.time.advance(249);
    expect(device.device.state).toBe('starting');
  });
});
