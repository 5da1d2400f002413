import { type DeviceWrite, isProven, look, readiness, type Seen, writesOf } from '@autowatering/device-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancel, type Report, report, take } from '../../../src/commands/model/carry.ts';
import { type Command, type CommandId, newCommandId } from '../../../src/commands/model/command.ts';
import { give } from '../../../src/commands/model/give.ts';
import { EMPTY_QUEUE, type Queue, settle, takeable } from '../../../src/commands/model/queue.ts';
import { GREATEST_LIMITS } from '../../../src/commands/model/safety.ts';
import { isOpen } from '../../../src/commands/model/states.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';
import { modelDevice } from '../../support/model-device.ts';
import { isThorough } from '../../support/thorough.ts';

const START = Date.UTC(2026, 5, 1, 6);
/** A carrier writes only while it has so much of its lease left. */
const MARGIN_MS = 5_000;
/** What it saw is worth reporting for so long. */
const OBSERVED_MS = 10_000;

const Step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('carry' as const), who: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), who: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), who: fc.nat({ max: 2 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 20_000, 61_000, 300_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('water' as const), channel: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'cancel', 'reboot', 'by_hand') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('lock' as const, 'unlock', 'lose_clock') }) },
);

type Step = typeof Step extends fc.Arbitrary<infer T> ? T : never;

/** A household: a device, its queue at the service, and carriers that stop anywhere. */
function household() {
  let now = START;
  let queue: Queue = EMPTY_QUEUE;
  let given = 0;
  let attempts = 0;
  const device = modelDevice(() => now);
  const ended = new Map<CommandId, Command>();
  const all: CommandId[] = [];
  const visits: (Generator<undefined, void> | undefined)[] = [];
  const lastReports: (() => void)[] = [];

  const keep = (after: Queue) => {
    for (const command of after.commands) if (!isOpen(command.state)) ended.set(command.commandId, command);
    queue = { ...after, commands: after.commands.filter(({ state }) => isOpen(state)) };
  };
  const order = (intent: Command['intent']) => {
    given += 1;
    const commandId = newCommandId(systemRandomness, now);
    const wanted = { commandId, commandKey: `key-${given}`, intent, expiresAt: now + 600_000 };
    const giving = give(queue, wanted, 'user', GREATEST_LIMITS, now);
    if (giving.outcome !== 'given') return;
    all.push(commandId);
    keep(giving.queue);
  };
  const say = (who: number, commandId: CommandId, fence: number, said: Report) => {
    const send = () => {
      const reporting = report(queue, commandId, { fence, carrier: `peer:${who}`, report: said }, now);
      if (reporting.outcome !== 'not_found') keep(reporting.queue);
    };
    send();
    lastReports[who] = send;
  };

  /** One visit as `docs/commands.md` says; whoever drives it may leave it at every `yield`. */
  function* visit(who: number): Generator<undefined, void> {
    // Without an offer it tries what it knows of, perhaps because it had it before it began anew.
    const [offered = queue.commands[0]] = takeable(settle(queue, now), now);
    if (offered === undefined) return;
    const { commandId, intent } = offered;
    yield;
    attempts += 1;
    const taking = take(queue, commandId, { carrier: `peer:${who}`, attempt: String(attempts) }, now);
    if (taking.outcome !== 'taken') return;
    keep(taking.queue);
    const { fence, mayHaveBeenWritten: mustLook, firstTakenAt } = taking.command;
    const { until } = taking;
    yield;
    const judge = (seen: readonly Seen[]) => isProven(intent, seen, firstTakenAt ?? now, now);
    const seen = device.seen();
    const looked = mustLook ? look(intent, seen, firstTakenAt ?? now, now) : 'not_done';
    if (looked === 'done') return say(who, commandId, fence, { event: 'prove' });
    if (looked === 'unclear') return say(who, commandId, fence, { event: 'lose_track' });
    const ready = looked === 'wait' ? 'wait' : readiness(intent, seen, now);
    if (ready === 'wait') return say(who, commandId, fence, { event: 'give_up', wrote: 'no', isDeviceBusy: true });
    if (ready === 'write') {
      if (until - now < MARGIN_MS) return;
      const errors = writesOf(intent, { now }).map((write: DeviceWrite) => device.write(write, commandId));
      yield;
      if (errors.at(-1) !== 0 && !judge(device.seen())) {
        return say(who, commandId, fence, { event: 'refuse', reason: 'not_permitted' });
      }
    }
    // What was seen is on its way for a while.
    const [soon, readAt] = [device.seen(), now];
    yield;
    if (now - readAt > OBSERVED_MS) return;
    if (judge(soon)) return say(who, commandId, fence, { event: 'prove' });
    say(who, commandId, fence, { event: 'deliver' });
    yield;
    const after = device.seen();
    const found = look(intent, after, firstTakenAt ?? now, now);
    if (found === 'done') return say(who, commandId, fence, { event: 'prove' });
    if (found === 'unclear') return say(who, commandId, fence, { event: 'lose_track' });
    // One that waits behind another run is looked for later.
    if (found === 'not_done') say(who, commandId, fence, { event: 'see_nothing', reason: 'unknown' });
  }

  const carry = (who: number) => {
    const ongoing = visits[who] ?? visit(who);
    visits[who] = ongoing.next().done === true ? undefined : ongoing;
  };

  const steps = {
    carry: ({ who }: { who: number }) => carry(who),
    die: ({ who }: { who: number }) => {
      visits[who] = undefined;
    },
    repeat: ({ who }: { who: number }) => lastReports[who]?.(),
    wait: ({ ms }: { ms: number }) => {
      now += ms;
    },
    water: ({ channel }: { channel: number }) => order({ kind: 'water', channel, minutes: 5 + given }),
    stop: () => order({ kind: 'stop' }),
    cancel: () => {
      const [first] = queue.commands;
      if (first === undefined) return;
      const cancelling = cancel(queue, first.commandId, 'user', now);
      if (cancelling.outcome === 'cancelled') keep(cancelling.queue);
    },
    reboot: () => device.reboot(),
    by_hand: () => device.write({ characteristic: 'def1', bytes: Uint8Array.of(0, 0, 2, 0) }, 'by hand'),
    lock: () => device.locked.add(0),
    unlock: () => device.locked.clear(),
    lose_clock: () => device.loseClock(),
  };

  return {
    ...{ device, all, ended },
    take(step: Step) {
      switch (step.do) {
        case 'carry':
        case 'die':
        case 'repeat':
          steps[step.do](step);
          return;
        case 'wait':
          steps.wait(step);
          return;
        case 'water':
          steps.water(step);
          return;
        default:
          steps[step.do]();
      }
    },
    /** Long after everything: nobody comes any more. */
    finish() {
      now += 3_600_000;
      keep(settle(queue, now));
      return queue;
    },
  };
}

describe('commands under lost answers, dead carriers and lost leases', () => {
  it('are carried out at most once, and their owner learns what became of each', () => {
    fc.assert(
      fc.property(fc.array(Step, { minLength: 5, maxLength: 60 }), (steps) => {
        const home = household();
        for (const step of steps) home.take(step);
        expect(home.finish().commands).toEqual([]);
        for (const id of home.all) {
          const starts = home.device.ran.filter(({ by }) => by === id);
          const accepted = home.device.accepted.filter((by) => by === id).length;
          const ran = starts.length;
          expect(ran).toBeLessThanOrEqual(1);
          const command = home.ended.get(id);
          if (command?.intent.kind === 'stop') {
            if (command.state !== 'done') continue;
            const before = new Set<string>(home.all.slice(0, home.all.indexOf(id)));
            const late = home.device.ran.filter(({ by, at }) => before.has(by) && at > (command.endedAt ?? 0));
            expect(late).toEqual([]);
            continue;
          }
          switch (command?.state) {
            case 'done':
              expect(ran).toBe(1);
              break;
            case 'expired':
              expect(accepted).toBe(0);
              break;
            case 'cancelled':
              if (!command.mayHaveBeenWritten) expect(accepted).toBe(0);
              break;
            case 'refused':
            case 'dropped':
              expect(ran).toBe(0);
              break;
            case 'failed':
              expect(command.reason).toBe('outcome_unknown');
              break;
            default:
              expect.unreachable(`a command ended ${command?.state}`);
          }
        }
      }),
      { numRuns: isThorough ? 20_000 : 400 },
    );
  });

  it('reach the device when carriers come, and every kind of end is met', () => {
    const ends = new Set<string>();
    for (const steps of fc.sample(fc.array(Step, { minLength: 30, maxLength: 60 }), { numRuns: 400, seed: 7 })) {
      const home = household();
      for (const step of steps) home.take(step);
      home.finish();
      for (const { state, intent } of home.ended.values()) if (intent.kind === 'water') ends.add(state);
    }
    expect([...ends].sort()).toEqual(['cancelled', 'done', 'dropped', 'expired', 'failed']);
  });
});
