import { once } from 'node:events';
import { connect } from 'node:net';
import {
  connectSerial,
  crc16,
  deviceCommands,
  encodeSerial,
  LinkLostError,
  realTime,
  SerialReader,
  SmpClient,
  startSerialServer,
  updateDevice,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firmware, GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

const ECHO = Buffer.from('0a00000900000100a161646568656c6c6f', 'hex');

/** Of any length, often one that leaves a byte for the last line. */
const lengths = fc.oneof(
  fc.nat({ max: 900 }),
  fc.nat({ max: 8 }).map((lines) => 93 * (lines + 1) - 3),
);

describe('a serial console', () => {
  it('prints lines between packets, which clients skip, and hears what is typed', async () => {
    const { device } = testBench({ device: { time: realTime } });
    const typed: string[] = [];
    const server = await startSerialServer(device, { port: 0, onText: (line) => typed.push(line) });
    const client = new SmpClient(await connectSerial('127.0.0.1', server.port));
    expect(await deviceCommands(client).echo('one')).toBe('one');
    server.print('garden: open: valve 2');
    expect(await deviceCommands(client).echo('two')).toBe('two');
    client.close();
    const terminal = connect(server.port, '127.0.0.1');
    terminal.write(Buffer.concat([Buffer.from('status\n'), encodeSerial(ECHO)]));
    await once(terminal, 'data');
    expect(typed).toEqual(['status']);
    terminal.destroy();
    await server.stop();
  });
});

describe('a packet on a serial console', () => {
  it('is framed like those of smp-py', () => {
    // Facts sheet, D4.
    const line = Buffer.concat([Buffer.of(0x06, 0x09), Buffer.from('ABMKAAAJAAABAKFhZGVoZWxsb3o2'), Buffer.of(0x0a)]);
    expect(encodeSerial(ECHO)).toEqual(line);
    expect(new SerialReader(100).push(line).map((packet) => Buffer.from(packet))).toEqual([ECHO]);
  });

  it('has the standard checksum', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
  });

  it('of any length arrives in any pieces, in lines of at most 127 bytes', () => {
    fc.assert(
      fc.property(
        lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
        fc.integer({ min: 1, max: 300 }),
        (packet, size) => {
          const bytes = encodeSerial(packet);
          const lines = bytes.toString('latin1').split('\n').slice(0, -1);
          for (const line of lines) expect(line.length + 1).toBeLessThanOrEqual(127);
          // The checksum is on one line.
          expect(Buffer.from(lines.at(-1)?.slice(2) ?? '', 'base64').byteLength).toBeGreaterThanOrEqual(2);
          const reader = new SerialReader(900);
          const packets: Uint8Array[] = [];
          for (let at = 0; at < bytes.byteLength; at += size)
            packets.push(...reader.push(bytes.subarray(at, at + size)));
          expect(packets.map((one) => Uint8Array.from(one))).toEqual([Uint8Array.from(packet)]);
        },
      ),
    );
  });

  it('is found among other console output', () => {
    const noise = Buffer.from('*** Booting Zephyr OS ***\n[00:00:01] <inf> garden: watering\n');
    const reader = new SerialReader(100);
    expect(reader.push(Buffer.concat([noise, encodeSerial(ECHO), noise, encodeSerial(ECHO)]))).toHaveLength(2);
  });

  it('that is damaged, cut off or too long is skipped, and the next one is read', () => {
    const long = encodeSerial(new Uint8Array(200).fill(7));
    const damaged = Buffer.from(encodeSerial(ECHO));
    damaged.writeUInt8('B'.charCodeAt(0), 12);
    const lonely = long.subarray(long.indexOf(0x0a) + 1);
    const endless = Buffer.concat([Buffer.of(0x06, 0x09), Buffer.alloc(300, 'A'), Buffer.of(0x0a)]);
    const tooShort = Buffer.from('\u0006\tAA==\n');
    for (const bad of [damaged, lonely, endless, tooShort, Buffer.concat([long.subarray(0, 128), Buffer.of(0x0a)])]) {
      const reader = new SerialReader(220);
      expect(reader.push(bad)).toEqual([]);
      expect(reader.push(encodeSerial(ECHO))).toHaveLength(1);
    }
    expect(new SerialReader(100).push(long)).toEqual([]);
  });

  it('made of random bytes never crashes the reader', () => {
    const marks = fc.constantFrom(Buffer.of(0x06, 0x09), Buffer.of(0x04, 0x14), Buffer.of(0x0a), Buffer.from('AAAA'));
    fc.assert(
      fc.property(fc.array(fc.oneof(marks, fc.uint8Array({ maxLength: 40 })), { maxLength: 60 }), (pieces) => {
        const reader = new SerialReader(64);
        for (const piece of pieces) {
          for (const packet of reader.push(piece)) expect(packet.byteLength).toBeLessThanOrEqual(64);
        }
      }),
    );
  });
});

describe('the console of a device', () => {
  const device = () => testBench({ device: { time: realTime } }).device;

  it('updates it', async () => {
    const one = device();
    const server = await startSerialServer(one, { port: 0 });
    const outcome = await updateDevice({
      connect: () => connectSerial('127.0.0.1', server.port),
      image: firmware(GOOD['1.1.0']),
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    await server.stop();
  });

  it('notifies its client when it closes, and survives a client that leaves', async () => {
    const server = await startSerialServer(device(), { port: 0 });
    const rude = connect(server.port, '127.0.0.1');
    await once(rude, 'connect');
    rude.resetAndDestroy();
    const client = new SmpClient(await connectSerial('127.0.0.1', server.port));
    expect(await deviceCommands(client).echo('hello')).toBe('hello');
    await server.stop();
    await expect
      .poll(() =>
        deviceCommands(client)
          .echo('x')
          .catch((error: unknown) => error),
      )
      .toBeInstanceOf(LinkLostError);
  });
});
