import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSignedByDevice } from '../../../device-proof/device-key.ts';
import { claimMessage, receiptMessage } from '../../../device-proof/messages.ts';
import { type DeviceOptions, SimulatedDevice } from '../../../firmware-sim/device/simulated-device.ts';
import { BleLink } from '../../../firmware-sim/link/ble-link.ts';
import { LinkLostError, type Transport } from '../../../firmware-sim/link/transport.ts';
import { deviceCommands } from '../../../firmware-sim/phone/device-commands.ts';
import { UploadError, uploadImage } from '../../../firmware-sim/phone/image-upload.ts';
import { SmpClient } from '../../../firmware-sim/phone/smp-client.ts';
import {
  NotAnImageError,
  type UpdateOptions,
  type UpdatePhase,
  updateDevice,
} from '../../../firmware-sim/phone/update-device.ts';
import type { CborMap } from '../../../firmware-sim/smp/cbor.ts';
import { GROUP } from '../../../firmware-sim/smp/header.ts';
import { SmpServer } from '../../../firmware-sim/smp/server.ts';
import { directClient } from '../../support/direct-client.ts';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';

/** A device whose waits are over at once, so that a whole update takes no time to speak of. */
function makeDevice(options: Partial<DeviceOptions> = {}): SimulatedDevice {
  return new SimulatedDevice({
    firmware: firmware(GOOD['1.0.0']),
    keys: [DEV_KEY],
    scheduler: { after: (_ms, run) => void setImmediate(run) },
    ...options,
  });
}

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));
const update = (link: BleLink, name: string, options: Partial<UpdateOptions> = {}) =>
  updateDevice({ connect: () => link.connect(), image: firmware(name), pause: nextTurn, ...options });

async function afterReset(device: SimulatedDevice): Promise<void> {
  device.reset();
  while (!device.isRunning) await nextTurn();
}

describe('a device with a key', () => {
  const kinds = {
    ed25519: () => generateKeyPairSync('ed25519'),
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  const withKey = (kind: keyof typeof kinds) => {
    const { privateKey, publicKey } = kinds[kind]();
    return { device: makeDevice({ identity: { hwId: 'AABBCCDD', privateKey } }), publicKey };
  };
  const connected = async (device: SimulatedDevice) =>
    deviceCommands(new SmpClient(await new BleLink(device, { mtu: 247 }).connect()));

  it.each(['ed25519', 'P-256'] as const)('proves with its %s key that it is there', async (kind) => {
    const { device, publicKey } = withKey(kind);
    const { nonce, signature } = await (await connected(device)).signClaim('n-1');
    expect(isSignedByDevice(publicKey, claimMessage({ nonce, hwId: 'AABBCCDD' }), signature)).toBe(true);
    expect(isSignedByDevice(publicKey, claimMessage({ nonce: 'n-2', hwId: 'AABBCCDD' }), signature)).toBe(false);
  });

  it('signs after an update which image runs, and what lies in its slots', async () => {
    const { device, publicKey } = withKey('ed25519');
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], { receiptNonce: 'n-3' });
    if (outcome.outcome !== 'confirmed' || outcome.receipt === undefined) throw new Error(outcome.outcome);
    const { image_hash: imageHash, slots, signature } = outcome.receipt;
    expect(slots).toMatchObject([
      { slot: 0, hash: imageHash, active: true, confirmed: true, pending: false },
      { slot: 1, active: false, confirmed: false },
    ]);
    const message = receiptMessage({ nonce: 'n-3', hwId: 'AABBCCDD', imageHash, slots });
    expect(isSignedByDevice(publicKey, message, signature)).toBe(true);
    const again = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], { receiptNonce: 'n-4' });
    expect(again).toMatchObject({ outcome: 'already_running', receipt: { nonce: 'n-4', image_hash: imageHash } });
  });

  it('signs nothing without a nonce, or for one that is none', async () => {
    const commands = await connected(withKey('ed25519').device);
    await expect(commands.signClaim('x'.repeat(201))).rejects.toThrow('invalid');
    const client = new SmpClient(await new BleLink(withKey('ed25519').device, { mtu: 247 }).connect());
    const request = { op: 'write', group: GROUP.identity, command: 0, fields: { nonce: 7 } } as const;
    await expect(client.request(request)).rejects.toThrow('invalid');
  });

  it('is no condition of an update: one without a key gives no receipt', async () => {
    const outcome = await update(new BleLink(makeDevice(), { mtu: 247 }), GOOD['1.1.0'], { receiptNonce: 'n-5' });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(outcome).not.toHaveProperty('receipt');
  });
});

describe('an update over the air', () => {
  it('goes through its phases, shows its progress, and ends confirmed', async () => {
    const device = makeDevice();
    const phases: UpdatePhase[] = [];
    const sent: number[] = [];
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], {
      onPhase: (phase) => phases.push(phase),
      onProgress: ({ sentBytes }) => sent.push(sentBytes),
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(phases).toEqual(['inspecting', 'uploading', 'testing', 'resetting', 'validating', 'confirming']);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.at(-1)).toBe(98_967);
    await afterReset(device);
    expect(device.runningVersion).toBe('1.1.0.7');
  });

  it('goes on to 2.0.0, which nearly fills the slot', async () => {
    const device = makeDevice();
    const link = new BleLink(device, { mtu: 498 });
    await update(link, GOOD['1.1.0']);
    expect(await update(link, GOOD['2.0.0'])).toMatchObject({ outcome: 'confirmed', version: '2.0.0' });
  });

  it('has nothing to do on a device that runs the image', async () => {
    const device = makeDevice();
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.0.0']);
    expect(outcome).toEqual({ outcome: 'already_running', version: '1.0.0.1', reconnects: 0 });
    expect(device.boots).toBe(1);
  });

  it('does not upload what the device already holds', async () => {
    const device = makeDevice();
    const link = new BleLink(device, { mtu: 247 });
    await update(link, GOOD['1.1.0'], { validate: async () => false });
    await afterReset(device);
    expect(device.runningVersion).toBe('1.0.0.1');
    const phases: UpdatePhase[] = [];
    await update(link, GOOD['1.1.0'], { onPhase: (phase) => phases.push(phase) });
    expect(phases).not.toContain('uploading');
    expect(device.runningVersion).toBe('1.1.0.7');
  });

  it('that was left on trial is only confirmed', async () => {
    const device = makeDevice();
    const link = new BleLink(device, { mtu: 247 });
    await update(link, GOOD['1.1.0'], { validate: async () => false });
    const phases: UpdatePhase[] = [];
    const outcome = await update(link, GOOD['1.1.0'], { onPhase: (phase) => phases.push(phase) });
    expect(outcome.outcome).toBe('confirmed');
    expect(phases).toEqual(['inspecting', 'validating', 'confirming']);
  });

  it('of a firmware that confirms itself is not rolled back', async () => {
    const device = makeDevice({ confirmsItself: true });
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], { validate: async () => false });
    expect(outcome.outcome).toBe('unconfirmed');
    await afterReset(device);
    expect(device.runningVersion).toBe('1.1.0.7');
  });

  it('ends byte-identical wherever the link drops, at most a few times', async () => {
    const image = firmware(GOOD['1.1.0']);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 60_000 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(65, 247, 498),
        async (drops, mtu) => {
          const device = makeDevice();
          const link = new BleLink(device, { mtu });
          const connect = async (): Promise<Transport> => {
            const next = drops.shift();
            if (next !== undefined) link.dropAfter(next);
            return link.connect();
          };
          const outcome = await updateDevice({ connect, image, pause: nextTurn });
          expect(outcome.outcome).toBe('confirmed');
          expect(device.runningVersion).toBe('1.1.0.7');
        },
      ),
      { numRuns: 25 },
    );
  });

  it('whose reset answer is lost does not ask for a second reset, which would roll it back', async () => {
    // The scheduler of these tests resets at once, before the answer has left.
    const device = makeDevice();
    const outcome = await update(new BleLink(device, { mtu: 23 }), GOOD['1.1.0']);
    expect(outcome).toMatchObject({ outcome: 'confirmed', reconnects: 2 });
    expect(device.boots).toBe(2);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const device = makeDevice();
    const running = update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('the person changed their mind')),
    });
    await expect(running).rejects.toThrow('changed their mind');
    expect(device.runningVersion).toBe('1.0.0.1');
  });

  it('gives up on a device that is gone', async () => {
    const nobody = async (): Promise<Transport> => {
      throw new LinkLostError('out of range');
    };
    const attempt = updateDevice({ connect: nobody, image: firmware(GOOD['1.1.0']), pause: nextTurn });
    await expect(attempt).rejects.toThrow('out of range');
  });
});

describe('a bad firmware', () => {
  it.each([
    ['bit-flip-1.2.0.signed.bin', 'hash_mismatch'],
    ['wrong-key-1.2.0.signed.bin', 'unknown_key'],
    ['unsigned-1.2.0.bin', 'no_signature'],
  ])('%s is refused by the bootloader (%s), and the old version runs on', async (name, fault) => {
    const device = makeDevice();
    const outcome = await update(new BleLink(device, { mtu: 247 }), name);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'validating', runningVersion: '1.0.0.1' });
    expect(device.lastBoot.refused).toBe(fault);
    await afterReset(device);
    expect(device.runningVersion).toBe('1.0.0.1');
  });

  it.each(['truncated-1.2.0.signed.bin', 'not-mcuboot.bin'])('%s does not even leave the phone', async (name) => {
    await expect(update(new BleLink(makeDevice(), { mtu: 247 }), name)).rejects.toBeInstanceOf(NotAnImageError);
  });

  it('that boots but is never confirmed is rolled back at the next reset', async () => {
    const device = makeDevice();
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0'], { validate: async () => false });
    expect(outcome).toMatchObject({ outcome: 'unconfirmed', version: '1.1.0.7' });
    await afterReset(device);
    expect(device.runningVersion).toBe('1.0.0.1');
    expect(device.lastBoot.swapped).toBe('revert');
  });

  it('may not overwrite the fallback while a trial runs: the device says so', async () => {
    const device = makeDevice();
    const link = new BleLink(device, { mtu: 247 });
    await update(link, GOOD['1.1.0'], { validate: async () => false });
    const outcome = await update(link, GOOD['2.0.0']);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'uploading', runningVersion: '1.1.0.7' });
    expect(outcome.outcome === 'refused' && outcome.reason).toMatch(/noFreeSlot/);
  });

  it('that is older is refused where the bootloader prevents downgrades', async () => {
    const device = makeDevice({ firmware: firmware(GOOD['2.0.0']), preventDowngrade: true });
    const outcome = await update(new BleLink(device, { mtu: 247 }), GOOD['1.1.0']);
    expect(outcome).toMatchObject({ outcome: 'refused', runningVersion: '2.0.0' });
    expect(device.lastBoot.refused).toBe('downgrade');
  });

  it('in the primary slot is never run: the device stays in its bootloader', () => {
    const device = makeDevice({ firmware: firmware('bit-flip-1.2.0.signed.bin') });
    expect(device.isRunning).toBe(false);
    expect(device.runningVersion).toBeUndefined();
    expect(device.receive(Uint8Array.of(0))).toEqual([]);
  });
});

describe('the upload', () => {
  it('fills its packets to the last byte the device takes', async () => {
    const device = makeDevice({ bufferBytes: 384 });
    const link = new BleLink(device, { mtu: 247 });
    const client = new SmpClient(await link.connect());
    const sizes: number[] = [];
    const receive = device.receive.bind(device);
    device.receive = (packet) => {
      sizes.push(packet.byteLength);
      return receive(packet);
    };
    await uploadImage(deviceCommands(client), firmware(GOOD['1.1.0']), 384, () => {});
    expect(Math.max(...sizes)).toBe(384);
    expect(sizes.slice(1, -2).every((size) => size >= 382)).toBe(true);
  });

  it('refuses packets without room for data', async () => {
    const client = new SmpClient(await new BleLink(makeDevice(), { mtu: 247 }).connect());
    const attempt = uploadImage(deviceCommands(client), firmware(GOOD['1.1.0']), 60, () => {});
    await expect(attempt).rejects.toBeInstanceOf(UploadError);
  });

  /** A device whose image group answers every chunk with the same fields. */
  const broken = (answer: CborMap) => {
    const upload = { decodes: true, run: () => ({ fields: answer }) };
    const server = new SmpServer({ groups: [{ id: 1, read: {}, write: { 1: upload } }], bufferBytes: 2475 });
    return deviceCommands(directClient(server));
  };

  it('gives up on a device that never gets further, and on one that stored something else', async () => {
    const send = (answer: CborMap) => uploadImage(broken(answer), firmware(GOOD['1.1.0']), 2475, () => {});
    await expect(send({ off: 0 })).rejects.toThrow(/does not get past/);
    await expect(send({ off: 10, match: false })).rejects.toThrow(/other bytes/);
    await expect(send({ nothing: true })).rejects.toThrow();
  });
});
