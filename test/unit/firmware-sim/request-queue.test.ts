import { type Requester, RequestQueue, SmpError, SmpTimeoutError, VirtualTime } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

/** A queue whose handler takes a while and echoes its input. */
function queue(bufferCount = 3, busyMs = 10) {
  const time = new VirtualTime();
  const answers: { readonly at: number; readonly answer: string }[] = [];
  const requests = new RequestQueue({
    ...{ bufferBytes: 8, bufferCount, time, takeBusyMs: () => busyMs },
    handle: (request, hasBuffer) => [Buffer.from(`${Buffer.from(request)}${hasBuffer ? '' : ' (no buffer)'}`)],
  });
  const requester = (): Requester => ({
    respond(answer, sent) {
      answers.push({ at: time.now(), answer: Buffer.from(answer).toString() });
      sent();
    },
  });
  const phone = requester();
  return {
    time,
    answers,
    requests,
    requester,
    ask: (text: string, from = phone) => requests.accept(Buffer.from(text), from),
  };
}

describe('requests of a device', () => {
  it('are served one at a time, in order, each after the previous answer', async () => {
    const { time, answers, ask } = queue();
    ask('a');
    ask('b');
    await time.advance(100);
    expect(answers).toEqual([
      { at: 10, answer: 'a' },
      { at: 20, answer: 'b' },
    ]);
  });

  it('that find no buffer, or fit none, are dropped', async () => {
    const { time, answers, ask } = queue(3);
    // Three at once take all buffers: the first has none for its answer, the fourth none at all.
    for (const text of ['a', 'b', 'c', 'd', 'too long for it']) ask(text);
    await time.advance(5);
    // While one is being served, its answer has a buffer too.
    for (const text of ['e', 'f']) ask(text);
    await time.advance(100);
    expect(answers.map(({ answer }) => answer)).toEqual(['a (no buffer)', 'b', 'c']);
  });

  it('leave a buffer for the answer of the request being served', async () => {
    const { time, answers, ask } = queue(4);
    ask('a');
    await time.advance(5);
    for (const text of ['b', 'c', 'd']) ask(text);
    await time.advance(100);
    expect(answers.map(({ answer }) => answer)).toEqual(['a', 'b', 'c']);
  });

  it('of a closed connection are not served, and its answer is dropped', async () => {
    const { time, answers, requests, requester, ask } = queue();
    const [gone, other] = [requester(), requester()];
    ask('a', gone);
    ask('b', gone);
    ask('c', other);
    requests.forget(gone);
    await time.advance(100);
    expect(answers.map(({ answer }) => answer)).toEqual(['c']);
    expect(requests.isIdle).toBe(true);
  });

  it('are lost with a reset', async () => {
    const { time, answers, requests, ask } = queue();
    ask('a');
    ask('b');
    requests.stop();
    ask('c');
    await time.advance(100);
    expect(answers).toEqual([]);
  });

  it('that take no time are answered at once', async () => {
    const { time, answers, ask } = queue(3, 0);
    ask('a');
    await time.advance(0);
    expect(answers).toEqual([{ at: 0, answer: 'a' }]);
  });

  it('need two buffers', () => {
    expect(() => testBench({ device: { bufferCount: 1 } })).toThrow(RangeError);
  });
});

describe('a client with more requests in flight than the device has buffers', () => {
  it('gets out-of-memory errors for some and no answer for others', async () => {
    const bench = testBench({ device: { bufferCount: 2 }, link: { radio: { intervalMs: 30 } } });
    const results = await bench.ask((commands) => Promise.allSettled(['a', 'b', 'c', 'd'].map(commands.echo)));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(failures.some((error) => error instanceof SmpError && error.rc === 2)).toBe(true);
    expect(failures.some((error) => error instanceof SmpTimeoutError)).toBe(true);
  });

  it('still completes its upload', async () => {
    // A device that reports four buffers but has two: the phone sends too much at once.
    const bench = testBench({ device: { bufferCount: 2 } });
    const { uploadImage } = await import('@autowatering/firmware-sim/phone/image-upload.ts');
    const { firmware } = await import('../../support/firmware.ts');
    const image = firmware(GOOD['1.1.0']);
    await bench.ask((commands) => uploadImage(commands, image, { largestPacket: 2475, window: 3 }));
    expect(Buffer.compare(bench.device.slotBytes(1, image.byteLength), image)).toBe(0);
  });
});

describe('a firmware without reassembly', () => {
  it('gets packets that fit one write and is still updated', async () => {
    const bench = testBench({ device: { reassembles: false } });
    expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'confirmed' });
  });

  it('cannot be updated over an MTU without room for the first chunk, as the phone reports', async () => {
    const bench = testBench({ device: { reassembles: false }, link: { mtu: 23 } });
    const outcome = await bench.update(GOOD['1.1.0']);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'uploading' });
    expect(outcome.outcome === 'refused' && outcome.reason).toMatch(/no room for data/);
  });
});
