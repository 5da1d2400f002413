import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../../firmware-sim/device/simulated-device.ts';
import { BleLink, LARGEST_MTU, SMALLEST_MTU } from '../../../firmware-sim/link/ble-link.ts';
import { fragments, PacketReassembler } from '../../../firmware-sim/link/packet-reassembler.ts';
import { LinkLostError } from '../../../firmware-sim/link/transport.ts';
import { startUdpServer } from '../../../firmware-sim/link/udp-server.ts';
import { connectUdp } from '../../../firmware-sim/link/udp-transport.ts';
import { deviceCommands } from '../../../firmware-sim/phone/device-commands.ts';
import { SmpClient, SmpTimeoutError } from '../../../firmware-sim/phone/smp-client.ts';
import { updateDevice } from '../../../firmware-sim/phone/update-device.ts';
import { encodePacket } from '../../../firmware-sim/smp/header.ts';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';

/** A device whose waits are over at once. */
const makeDevice = (name: string = GOOD['1.0.0']) =>
  new SimulatedDevice({
    firmware: firmware(name),
    keys: [DEV_KEY],
    scheduler: { after: (_ms, run) => void setImmediate(run) },
  });

const packet = (payload: Uint8Array) => encodePacket({ op: 2, version: 1, group: 0, sequence: 7, command: 0 }, payload);

describe('fragments', () => {
  it('of any packet in any size come together again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 8, max: 498 }), (payload, size) => {
        const reassembler = new PacketReassembler(2475);
        const whole = packet(payload);
        const results = fragments(whole, size).map((piece) => reassembler.push(piece));
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
        expect(Uint8Array.from(results.at(-1) ?? [])).toEqual(whole);
      }),
    );
  });

  it('that can not be right lose their packet, and the next one is whole again', () => {
    const reassembler = new PacketReassembler(100);
    expect(reassembler.push(packet(new Uint8Array(93)))).toBeUndefined();
    expect(reassembler.push(Uint8Array.of(1, 2, 3))).toBeUndefined();
    const [head = new Uint8Array()] = fragments(packet(new Uint8Array(40)), 20);
    expect(reassembler.push(head)).toBeUndefined();
    expect(reassembler.push(new Uint8Array(60))).toBeUndefined();
    expect(reassembler.push(packet(Uint8Array.of(1)))).toBeDefined();
  });
});

describe('the BLE link', () => {
  it.each([SMALLEST_MTU, 65, 185, 247, LARGEST_MTU])('carries requests and answers at an MTU of %d', async (mtu) => {
    const client = new SmpClient(await new BleLink(makeDevice(), { mtu }).connect());
    const text = 'water '.repeat(100);
    expect(await deviceCommands(client).echo(text)).toBe(text);
    expect(await deviceCommands(client).images()).toHaveLength(1);
  });

  it.each([22, 499])('knows no MTU of %d', (mtu) => {
    expect(() => new BleLink(makeDevice(), { mtu })).toThrow(RangeError);
  });

  it('serves one phone at a time, and none while the device does not run', async () => {
    const device = makeDevice();
    const link = new BleLink(device, { mtu: 247 });
    const connection = await link.connect();
    await expect(link.connect()).rejects.toThrow(/another phone/);
    connection.close();
    await link.connect();
    device.reset();
    await expect(link.connect()).rejects.toThrow(/advertise/);
  });

  it('is lost with a reset: what waits is told, what is sent later is refused', async () => {
    const device = makeDevice();
    const transport = await new BleLink(device, { mtu: 247 }).connect();
    const client = new SmpClient(transport);
    const waiting = deviceCommands(client).echo('lost');
    device.reset();
    await expect(waiting).rejects.toBeInstanceOf(LinkLostError);
    await expect(deviceCommands(client).echo('later')).rejects.toBeInstanceOf(LinkLostError);
    expect(() => transport.send(new Uint8Array(8))).toThrow(LinkLostError);
  });

  it('ignores answers that nobody waits for', async () => {
    const transport = await new BleLink(makeDevice(), { mtu: 247 }).connect();
    const client = new SmpClient(transport);
    transport.send(packet(Uint8Array.of(0xa0)));
    expect(await deviceCommands(client).echo('still here')).toBe('still here');
  });
});

describe('SMP over UDP', () => {
  it('updates a device as BLE does', async () => {
    const device = makeDevice();
    const server = await startUdpServer(device, { port: 0 });
    const outcome = await updateDevice({
      connect: () => connectUdp('127.0.0.1', server.port),
      image: firmware(GOOD['1.1.0']),
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(device.runningVersion).toBe('1.1.0.7');
    await server.stop();
  });

  it('gives no answer to what is too long, nor while the device is down', async () => {
    const device = makeDevice();
    const server = await startUdpServer(device, { port: 0 });
    const client = new SmpClient(await connectUdp('127.0.0.1', server.port));
    const echo = (d: string) => client.request({ op: 'write', group: 0, command: 0, fields: { d }, timeoutMs: 60 });
    await expect(echo('x'.repeat(3_000))).rejects.toBeInstanceOf(SmpTimeoutError);
    expect((await echo('short')).get('r')).toBe('short');
    client.close();
    await server.stop();
  });
});
