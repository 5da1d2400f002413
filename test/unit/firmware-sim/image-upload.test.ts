import {
  type CborMap,
  type CommandResult,
  type DeviceCommands,
  deviceCommands,
  encodeDefinite,
  LinkLostError,
  SMP_HEADER_BYTES,
  SmpError,
  SmpServer,
  UploadError,
  uploadImage,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { directClient } from '../../support/direct-client.ts';
import { firmware, GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

const IMAGE = firmware(GOOD['1.1.0']);

/** In packets of 2,475 bytes: the first with 64 bytes of the image, 40 full ones, and the rest. */
const CHUNKS = 42;

/** A device whose image group answers chunks as given. */
function answering(answer: (fields: ReadonlyMap<unknown, unknown>) => CommandResult): DeviceCommands {
  const upload = { decodes: true, run: answer };
  const server = new SmpServer({ groups: [{ id: 1, read: {}, write: { 1: upload } }], bufferBytes: 2475 });
  return deviceCommands(directClient(server));
}

const send = (commands: DeviceCommands, largestPacket = 2475, window = 3) =>
  uploadImage(commands, IMAGE, { largestPacket, window });
const always = (fields: CborMap) => answering(() => ({ fields }));

describe('the upload of an image', () => {
  it.each([128, 244, 300, 384, 600, 2475])('fills its packets of %d bytes to the last byte or two', async (largest) => {
    const sizes: number[] = [];
    const commands = answering((fields) => {
      const chunk = Object.fromEntries(fields) as CborMap;
      sizes.push(SMP_HEADER_BYTES + encodeDefinite(chunk).byteLength);
      const { off, data } = chunk;
      return { fields: { off: Number(off) + (data instanceof Uint8Array ? data.byteLength : 0) } };
    });
    await send(commands, largest);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(largest);
    // The first is short, because a device that continues elsewhere discards it; the last carries the rest.
    expect(Math.min(...sizes.slice(1, -1))).toBeGreaterThanOrEqual(largest - 2);
    expect(sizes[0]).toBeLessThan(200);
  });

  it('fails if a packet has no room for data', async () => {
    await expect(send(always({ off: 0 }), 60)).rejects.toBeInstanceOf(UploadError);
  });

  it('gives up on a device that makes no progress or stored something else', async () => {
    await expect(send(always({ off: 0 }))).rejects.toThrow('does not get past byte 0');
    await expect(send(always({ off: 10 }))).rejects.toThrow('does not get past byte 10');
    await expect(send(always({ off: 10, match: false }))).rejects.toThrow('different bytes from those sent');
  });

  it('treats an invalid answer as missing', async () => {
    await expect(send(always({ nothing: true }))).rejects.toThrow();
  });

  it('goes back to the offset that the device expects, as often as needed', async () => {
    let expected = 0;
    let setbacks = 0;
    const commands = answering((fields) => {
      const [off, data] = [Number(fields.get('off')), fields.get('data')];
      // Every fifth chunk is lost on the way into flash.
      if (off === expected && (off === 0 || (off + setbacks) % 5 !== 0)) {
        expected += data instanceof Uint8Array ? data.byteLength : 0;
      } else setbacks += 1;
      return { fields: { off: expected } };
    });
    await send(commands);
    expect([expected, setbacks > 0]).toEqual([IMAGE.byteLength, true]);
  });

  it('starts over when the device has lost what it had', async () => {
    let expected = 0;
    let hasForgotten = false;
    const commands = answering((fields) => {
      const [off, data] = [Number(fields.get('off')), fields.get('data')];
      if (off === 0) expected = 0;
      if (off > 40_000 && !hasForgotten) {
        hasForgotten = true;
        expected = 0;
      } else if (off === expected) expected += data instanceof Uint8Array ? data.byteLength : 0;
      return { fields: { off: expected } };
    });
    await send(commands);
    expect([hasForgotten, expected]).toEqual([true, IMAGE.byteLength]);
  });

  it('passes on a refusal of the device', async () => {
    await expect(send(answering(() => ({ error: 30 })))).rejects.toBeInstanceOf(SmpError);
    let chunks = 0;
    const later = answering((fields) => {
      chunks += 1;
      const data = fields.get('data');
      return chunks > 5
        ? { error: 31 }
        : { fields: { off: Number(fields.get('off')) + (data as Uint8Array).byteLength } };
    });
    await expect(send(later)).rejects.toThrow('dataOverrun');
  });

  it('completes over a link that drops every few thousand bytes', async () => {
    const bench = testBench();
    let drops = 0;
    const connect = async () => {
      const transport = await bench.link.connect();
      if (bench.device.boots === 1) {
        bench.link.dropAfter(4_000);
        drops += 1;
      }
      return transport;
    };
    expect(await bench.update(IMAGE, { connect })).toMatchObject({ outcome: 'confirmed' });
    expect(drops).toBeGreaterThan(40);
  });

  it('gives up on a link that drops before anything gets through', async () => {
    const bench = testBench();
    const connect = async () => {
      const transport = await bench.link.connect();
      bench.link.dropAfter(2_000);
      return transport;
    };
    await expect(bench.update(IMAGE, { connect })).rejects.toBeInstanceOf(LinkLostError);
  });

  it('resends a chunk that is not answered', async () => {
    const { device, time, ask } = testBench();
    const accept = device.accept.bind(device);
    let requests = 0;
    device.accept = (packet, requester) => {
      requests += 1;
      // A chunk that finds no buffer is dropped silently. Here it is the last, so nothing follows it.
      if (requests !== CHUNKS) accept(packet, requester);
    };
    await ask((commands) => uploadImage(commands, IMAGE, { largestPacket: 2475, window: 3 }));
    expect([requests, Buffer.compare(device.slotBytes(1, IMAGE.byteLength), IMAGE)]).toEqual([CHUNKS + 1, 0]);
    expect(time.now()).toBeGreaterThan(2_500);
  });
});
