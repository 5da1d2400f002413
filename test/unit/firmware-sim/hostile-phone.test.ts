import { encodePacket } from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SMALL_KEY, signedImage, smallSlots } from '../../support/small-slots.ts';
import { type TestBench, testBench } from '../../support/test-bench.ts';

/*
 * A phone that sends arbitrary bytes in fragments of any size over the radio: the device answers like Zephyr, keeps
 * silent where Zephyr does, and serves the next phone normally.
 */

const bytes = fc.uint8Array({ maxLength: 120 });

/** A nearly valid packet: a real or plausible header over anything. */
const packet = fc
  .record({
    op: fc.nat({ max: 7 }),
    version: fc.nat({ max: 3 }),
    group: fc.constantFrom(0, 1, 2, 3, 9, 64, 65, 8, 65_535),
    command: fc.nat({ max: 9 }),
    sequence: fc.nat({ max: 255 }),
    payload: fc.oneof(bytes, fc.constant(Uint8Array.of(0xa0)), fc.constant(new Uint8Array(0))),
  })
  .map(({ payload, ...header }) => encodePacket(header, payload));

const small = () =>
  testBench({ device: { firmware: signedImage([1, 0, 0], 9_176), keys: [SMALL_KEY], flash: smallSlots() } });

/** Sends raw writes on a connection of their own; returns the notifications. */
async function sendRaw({ time, link }: TestBench, writes: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  const connection = await time.run(() => link.connect());
  connection.onPacket((answer) => answers.push(answer));
  for (const write of writes) connection.send(write, () => {});
  await time.advance(5_000);
  connection.close();
  await time.advance(1_000);
  return answers;
}

describe('a device that receives arbitrary bytes', () => {
  it('answers correctly and keeps working', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(packet, bytes), { maxLength: 12 }), async (writes) => {
        const bench = small();
        await sendRaw(bench, writes);
        // The bytes may contain a reset.
        await bench.time.advance(60_000);
        expect(await bench.ask((commands) => commands.echo('still here'))).toBe('still here');
        expect(bench.device.runningVersion).toBe('1.0.0');
      }),
      { numRuns: 250 },
    );
  });

  it('does not answer less than a header, whatever follows in that packet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 7 }), async (write) => {
        expect(await sendRaw(small(), [write])).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('does not answer a packet that is announced as longer than its buffer', async () => {
    const head = encodePacket({ op: 2, version: 1, group: 0, command: 0, sequence: 1 }, new Uint8Array(4_000));
    expect(await sendRaw(small(), [head.subarray(0, 200)])).toEqual([]);
  });

  it('answers each whole packet once, with its sequence number, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat({ max: 255 }), { minLength: 1, maxLength: 3 }), async (sequences) => {
        const writes = sequences.map((sequence) =>
          encodePacket({ op: 2, version: 1, group: 0, command: 0, sequence }, Uint8Array.of(0xa0)),
        );
        const answers = await sendRaw(small(), writes);
        expect(answers.map((answer) => answer[6])).toEqual(sequences);
      }),
      { numRuns: 30 },
    );
  });
});
