import { describe, expect, it } from 'vitest';
import type { CommandClient } from '../../../firmware-sim/carrying/command-client.ts';
import { HubErrands } from '../../../firmware-sim/hub/hub-errands.ts';
import { virtualAir } from '../../../firmware-sim/index.ts';
import { testBench } from '../../support/test-bench.ts';

const announcement = (commandId: string, kind: string) => ({
  ...{ serial: 'S', command_id: commandId, state: 'queued', intent: { kind } },
});

describe('a hub’s errands', () => {
  it('begin with a stop, although it came last', async () => {
    const { time, link } = testBench({});
    const asked: string[] = [];
    // Whoever asks is told that somebody else has it.
    const client: CommandClient = {
      offers: async () => [],
      lease: async (_serial, commandId) => {
        asked.push(commandId);
        return undefined;
      },
      report: () => Promise.reject(new Error('nothing was carried')),
    };
    let radioIsFree = () => {};
    let radio: Promise<unknown> = new Promise<void>((resolve) => {
      radioIsFree = resolve;
    });
    const errands = new HubErrands({
      ...{ client, now: () => 0, signal: new AbortController().signal },
      devices: async () => new Map([['S', { hwId: 'H', link, air: virtualAir(time) }]]),
      withRadio: (work) => {
        const turn = radio.then(work);
        radio = turn;
        return turn;
      },
    });
    let stops = 0;
    const stopListening = errands.onStop(() => {
      stops += 1;
    });
    for (const [id, kind] of Object.entries({ first: 'pause', second: 'resume', last: 'stop' })) {
      errands.announced('command.changed', announcement(id, kind));
    }
    radioIsFree();
    await errands.settled();
    expect(asked).toEqual(['last', 'first', 'second']);
    expect(stops).toBe(1);
    stopListening();
    errands.announced('command.changed', announcement('another', 'stop'));
    await errands.settled();
    expect(stops).toBe(1);
  });
});
