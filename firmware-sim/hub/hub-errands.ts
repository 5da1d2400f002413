import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { CommandClient, LeasedCommand } from '../carrying/command-client.ts';
import { runErrand } from '../carrying/errand.ts';
import { BackendError } from '../phone/backend-client.ts';
import type { DeviceInRange } from './device-in-range.ts';

/** The account's stream on which commands are announced. */
export const COMMANDS_STREAM = 'commands';

/** What a hub tells of a command that it carried. */
export interface CarriedCommand {
  readonly serial: string;
  readonly commandId: string;
  readonly kind: string;
  /** As the backend has it afterwards. */
  readonly state: string;
}

export interface HubErrandOptions {
  readonly client: CommandClient;
  /** The account's devices in range, by serial. */
  readonly devices: () => Promise<ReadonlyMap<string, DeviceInRange>>;
  /** Waits until the hub's one radio is free. */
  readonly withRadio: <T>(work: () => Promise<T>) => Promise<T>;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onWritten?: ((command: LeasedCommand, device: DeviceInRange) => void) | undefined;
  readonly onCarried?: ((carried: CarriedCommand) => void) | undefined;
}

const Announcement = z.object({
  ...{ serial: z.string(), command_id: z.string(), state: z.string() },
  intent: z.object({ kind: z.string() }),
});

interface Wanted {
  readonly serial: string;
  readonly commandId: string;
  /** As far as the hub knows. */
  readonly isStop: boolean;
}

/** Announcements may be lost with a connection: so often the hub asks. */
const ASK_EVERY_MS = 60_000;
/** A command that could not be carried is tried again after that, by this hub. */
const AGAIN_MS = 15_000;
/** A phone waits for so long while a command is on its way; then the hub makes room. */
const PHONE_WAITS_MS = 5_000;

/**
 * Carries commands: those that are announced, at once, and those that it is offered when it asks. One at a time; a stop
 * comes first, and nothing is watched or waited for meanwhile.
 */
export class HubErrands {
  readonly #options: HubErrandOptions;
  readonly #wanted: Wanted[] = [];
  readonly #notBefore = new Map<string, number>();
  readonly #stopListeners = new Set<() => void>();
  #underWay: { readonly isStop: boolean; readonly leave: AbortController } | undefined;
  #askAt = 0;
  #work: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: HubErrandOptions) {
    this.#options = options;
  }

  /** Whether a command waits for the radio. */
  get isWaiting(): boolean {
    return this.#wanted.length > 0;
  }

  /** What was said on the stream of commands. */
  announced(type: string, payload: unknown): void {
    const said = type === 'command.changed' ? Announcement.safeParse(payload).data : undefined;
    if (said?.state !== 'queued') return;
    this.#want({ serial: said.serial, commandId: said.command_id, isStop: said.intent.kind === 'stop' });
  }

  /** Calls the listener when a stop waits for the radio. @returns what ends it */
  onStop(listener: () => void): () => void {
    this.#stopListeners.add(listener);
    return () => this.#stopListeners.delete(listener);
  }

  /** The network is back: what was announced meanwhile is asked for at the next `look`. */
  askSoon(): void {
    this.#askAt = 0;
  }

  /** Asks for offers if it is time to, and waits until what is known is carried. @throws what an errand threw */
  async look(): Promise<void> {
    const { now, devices, client } = this.#options;
    if (now() >= this.#askAt) {
      this.#askAt = now() + ASK_EVERY_MS;
      const serials = [...(await devices()).keys()];
      if (serials.length > 0) {
        for (const { serial, commandIds, changesAt } of await client.offers(serials)) {
          for (const commandId of commandIds) this.#want({ serial, commandId, isStop: false });
          if (changesAt !== null) this.#askAt = Math.min(this.#askAt, Math.max(changesAt, now() + 1_000));
        }
      }
    }
    await this.settled();
  }

  /** Waits for the errands so far. @throws what an errand threw */
  async settled(): Promise<void> {
    await this.#work;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #want(wanted: Wanted): void {
    const { commandId } = wanted;
    const isKnown = this.#wanted.some((other) => other.commandId === commandId);
    if (isKnown || this.#options.signal.aborted) return;
    if ((this.#notBefore.get(commandId) ?? 0) > this.#options.now()) {
      this.#askAt = Math.min(this.#askAt, this.#notBefore.get(commandId) ?? 0);
      return;
    }
    if (wanted.isStop) {
      this.#wanted.unshift(wanted);
      if (this.#underWay?.isStop === false) this.#underWay.leave.abort();
      for (const listener of this.#stopListeners) listener();
    } else this.#wanted.push(wanted);
    this.#work ??= this.#carryAll().finally(() => {
      this.#work = undefined;
    });
  }

  async #carryAll(): Promise<void> {
    while (this.#wanted.length > 0) {
      try {
        await this.#options.withRadio(async () => {
          // What is first when the radio is free: a stop may have come meanwhile.
          const wanted = this.#wanted.shift();
          if (wanted !== undefined) await this.#carry(wanted);
        });
      } catch (error) {
        // The lease ends by itself, and the next look asks again.
        if (!(error instanceof BackendError) && !this.#options.signal.aborted) this.#failure = error;
      }
    }
  }

  async #carry({ serial, commandId, isStop }: Wanted): Promise<void> {
    const { client, devices, now, signal, onWritten, onCarried } = this.#options;
    const device = (await devices()).get(serial);
    if (device === undefined || signal.aborted) return;
    this.#notBefore.set(commandId, now() + AGAIN_MS);
    const leave = new AbortController();
    this.#underWay = { isStop, leave };
    const startedAt = now();
    const stopHearing = device.link.onPhoneNear(() => {
      if (now() - startedAt > PHONE_WAITS_MS) leave.abort();
    });
    try {
      const outcome = await runErrand({
        ...{ client, serial, commandId, attemptId: randomUUID(), link: device.link, air: device.air, as: 'hub', now },
        signal: AbortSignal.any([signal, leave.signal]),
        onWritten: (command) => onWritten?.(command, device),
      });
      if (outcome === undefined) return;
      const { command, told } = outcome;
      if (told.state !== 'queued') this.#notBefore.delete(commandId);
      else this.#askAt = Math.min(this.#askAt, now() + AGAIN_MS);
      onCarried?.({ serial, commandId, kind: command.intent.kind, state: told.state });
      // The device's next command may be free now.
      if (told.state !== 'queued') this.#askAt = 0;
    } finally {
      this.#underWay = undefined;
      stopHearing();
    }
  }
}
