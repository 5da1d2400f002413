import type { Intent } from '@autowatering/device-data';
import { describe, expect, it } from 'vitest';
import { lookAfter, type Report, report, take } from '../../../src/commands/model/carry.ts';
import { type CommandId, newCommandId } from '../../../src/commands/model/command.ts';
import { give } from '../../../src/commands/model/give.ts';
import { EMPTY_QUEUE, type Queue } from '../../../src/commands/model/queue.ts';
import { STANDARD_LIMITS } from '../../../src/commands/model/safety.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';

const START = Date.UTC(2026, 5, 1, 6);
const WATER: Intent = { kind: 'water', channel: 1, minutes: 100 };

/** A device's queue, and what is done with it at which second. */
function queueOf() {
  let queue: Queue = EMPTY_QUEUE;
  let given = 0;
  const at = (second: number) => START + second * 1000;
  return {
    tryToGive(intent: Intent, second: number) {
      given += 1;
      const commandId = newCommandId(systemRandomness, at(second) + given);
      const wanted = { commandId, commandKey: `key-${given}`, intent, expiresAt: at(second + 600) };
      const giving = give(queue, wanted, 'user', STANDARD_LIMITS, at(second));
      if (giving.outcome === 'given') queue = giving.queue;
      return { commandId, outcome: giving.outcome };
    },
    take(commandId: CommandId, carrier: string, second: number): number {
      const taking = take(queue, commandId, { carrier, attempt: carrier }, at(second));
      if (taking.outcome !== 'taken') throw new Error(`it is ${taking.outcome}`);
      queue = taking.queue;
      return taking.command.fence;
    },
    report(commandId: CommandId, carrier: string, fence: number, said: Report, second: number) {
      const reporting = report(queue, commandId, { fence, carrier, report: said }, at(second));
      if (reporting.outcome === 'not_found') throw new Error('it is not there');
      queue = reporting.queue;
      const after = lookAfter(reporting, at(second));
      return { state: reporting.command.state, after: after === undefined ? undefined : (after - START) / 1000 };
    },
  };
}

const seen: Report = { event: 'prove' };

describe('a stop', () => {
  it('is not done by what was seen before the time was over of a carrier that may have started a run', () => {
    const queue = queueOf();
    const water = queue.tryToGive(WATER, 0).commandId;
    queue.take(water, 'phone', 0);
    const stop = queue.tryToGive({ kind: 'stop' }, 10).commandId;
    const fence = queue.take(stop, 'hub', 11);
    // Seen at 52, when the phone might still have written for three seconds; it arrives at 61.
    expect(queue.report(stop, 'hub', fence, seen, 61)).toEqual({ state: 'queued', after: 61 });
    const again = queue.take(stop, 'hub', 62);
    expect(queue.report(stop, 'hub', again, seen, 63)).toEqual({ state: 'done', after: undefined });
  });

  it('is done at once if whoever had the run wrote nothing', () => {
    const queue = queueOf();
    const water = queue.tryToGive(WATER, 0).commandId;
    const its = queue.take(water, 'phone', 0);
    const stop = queue.tryToGive({ kind: 'stop' }, 10).commandId;
    const fence = queue.take(stop, 'hub', 11);
    expect(queue.report(stop, 'hub', fence, seen, 12)).toEqual({ state: 'delivered', after: 60 });
    queue.report(water, 'phone', its, { event: 'give_up', wrote: 'no', isDeviceBusy: false }, 13);
    expect(queue.report(stop, 'hub', fence, seen, 14)).toEqual({ state: 'done', after: undefined });
  });
});

describe('what a zone may have a day', () => {
  it('is not used up by a run that the device dropped', () => {
    const queue = queueOf();
    const first = queue.tryToGive(WATER, 0).commandId;
    expect(queue.tryToGive(WATER, 1).outcome).toBe('given');
    expect(queue.tryToGive(WATER, 2).outcome).toBe('exceeded');
    const fence = queue.take(first, 'hub', 3);
    queue.report(first, 'hub', fence, { event: 'deliver' }, 4);
    queue.report(first, 'hub', fence, { event: 'see_nothing', reason: 'channel_locked' }, 5);
    expect(queue.tryToGive(WATER, 6).outcome).toBe('given');
  });
});
