import type { Intent, Seen } from '@autowatering/device-data';
import * as z from 'zod';
import { BackendError, type CallOptions, createCalls } from '../phone/api-calls.ts';

// What the backend says of an intent was checked when it was given.
const IntentField = z.custom<Intent>((value) => typeof value === 'object' && value !== null && 'kind' in value);
const Command = z.object({ command_id: z.string(), intent: IntentField, state: z.string() });
const Offers = z.object({
  devices: z.array(z.object({ serial: z.string(), commands: z.array(Command), changes_at: z.number().nullable() })),
});
const Lease = z.object({
  ...{ command: Command, fence: z.number(), leased_until: z.number(), must_look: z.boolean() },
  first_taken_at: z.number(),
});
const Reported = z.object({
  ...{ command: Command, is_done: z.boolean(), look_again_after: z.number().nullable() },
});

export interface Offer {
  readonly serial: string;
  readonly commandIds: readonly string[];
  /** When to ask again although nothing is announced, in milliseconds since 1970. */
  readonly changesAt: number | null;
}

/** A command that is ours to carry until its lease ends. Times are milliseconds since 1970. */
export interface LeasedCommand {
  readonly serial: string;
  readonly commandId: string;
  readonly intent: Intent;
  readonly fence: number;
  readonly until: number;
  readonly mustLook: boolean;
  readonly firstTakenAt: number;
}

/** What a carrier says of a command, in the API's words. */
export type CarrierReport =
  | { readonly outcome: 'delivered' | 'seen' | 'nothing_seen'; readonly observed: readonly Seen[] }
  | { readonly outcome: 'refused'; readonly attError: number; readonly observed: readonly Seen[] }
  | { readonly outcome: 'unclear'; readonly observed: readonly Seen[] }
  | {
      readonly outcome: 'gave_up';
      readonly wrote: 'no' | 'maybe';
      readonly reason: 'device_busy' | 'out_of_range' | 'link_lost' | 'other';
    };

export interface ReportAnswer {
  readonly state: string;
  readonly isDone: boolean;
  readonly lookAgainAfter: number | null;
}

/** The API takes so many readings; the newest say most. */
const MOST_OBSERVED = 40;

export interface CommandClient {
  /** @throws BackendError */
  offers(serials: readonly string[]): Promise<readonly Offer[]>;
  /**
   * Takes a command, or renews the lease that it was given in the same attempt. Undefined: somebody else has it, or
   * something else comes first.
   *
   * @throws BackendError
   */
  lease(serial: string, commandId: string, attemptId: string): Promise<LeasedCommand | undefined>;
  /** @throws BackendError */
  report(command: LeasedCommand, report: CarrierReport): Promise<ReportAnswer>;
}

/** @param carrierId of this installation; a peer's own token says who it is */
export function commandClient(options: CallOptions, carrierId?: string): CommandClient {
  const { call } = createCalls(options);
  const carrier = carrierId === undefined ? {} : { carrier_id: carrierId };
  const pathOf = (serial: string, commandId: string) => `/devices/${serial}/commands/${commandId}`;
  return {
    async offers(serials) {
      const { devices } = await call('/commands/offers', Offers, { serials });
      return devices.map(({ serial, commands, changes_at: changesAt }) => ({
        ...{ serial, changesAt, commandIds: commands.map(({ command_id: id }) => id) },
      }));
    },
    async lease(serial, commandId, attemptId) {
      try {
        const taken = await call(`${pathOf(serial, commandId)}/lease`, Lease, { ...carrier, attempt_id: attemptId });
        return {
          ...{ serial, commandId, intent: taken.command.intent, fence: taken.fence, until: taken.leased_until },
          ...{ mustLook: taken.must_look, firstTakenAt: taken.first_taken_at },
        };
      } catch (error) {
        if (error instanceof BackendError && (error.status === 409 || error.status === 404)) return undefined;
        throw error;
      }
    },
    async report({ serial, commandId, fence }, report) {
      const { command, is_done, look_again_after } = await call(`${pathOf(serial, commandId)}/report`, Reported, {
        ...carrier,
        ...{ fence, outcome: report.outcome },
        ...('observed' in report && { observed: report.observed.slice(-MOST_OBSERVED).map(shown) }),
        ...('attError' in report && { att_error: report.attError }),
        ...('wrote' in report && { wrote: report.wrote, reason: report.reason }),
      });
      return { state: command.state, isDone: is_done, lookAgainAfter: look_again_after };
    },
  };
}

function shown({ characteristic, bytes }: Seen) {
  return { characteristic, bytes: Buffer.from(bytes).toString('base64url') };
}
