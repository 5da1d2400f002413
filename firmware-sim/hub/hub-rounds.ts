import { BackendError } from '../phone/backend-client.ts';
import { ReportQueue } from '../phone/report-queue.ts';
import type { GardenSync } from '../sync/garden-sync.ts';
import type { DeviceInRange } from './device-in-range.ts';
import type { HubClients } from './hub-clients.ts';
import type { HubDevices } from './hub-devices.ts';
import { COMMANDS_STREAM, HubErrands } from './hub-errands.ts';
import { DEVICES_STREAM, hubEventDraft } from './hub-events.ts';
import { syncAsHub } from './hub-garden.ts';
import type { KeptRecord } from './hub-memory.ts';
import type { HubOptions } from './hub-options.ts';
import { type HubVisitOutcome, visitAsHub } from './hub-visit.ts';

export interface HubRoundOptions {
  readonly peerId: string;
  readonly clients: HubClients;
  readonly devices: HubDevices;
  readonly record: KeptRecord;
  readonly sync: GardenSync;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends a round in the middle of whatever it does. */
  readonly signal: AbortSignal;
  readonly watch: Pick<HubOptions, 'onPhase' | 'onProgress' | 'onWritten' | 'onCarried' | 'onSynced'>;
}

export interface HubVisit {
  readonly serial: string;
  readonly outcome: HubVisitOutcome;
}

/** Reports that could not be sent are tried again after that, or when the network is back. */
const REPORTS_AGAIN_MS = 30_000;

/** What a hub does for its owner: carries commands, reads gardens and updates devices, one after the other over its one radio. */
export class HubRounds {
  readonly #options: HubRoundOptions;
  readonly #errands: HubErrands;
  #round: Promise<readonly HubVisit[]> | undefined;
  #radio: Promise<unknown> = Promise.resolve();
  #reportsNotBefore = 0;

  constructor(options: HubRoundOptions) {
    this.#options = options;
    const { clients, devices, now, signal, watch } = options;
    this.#errands = new HubErrands({
      ...{ client: clients.commands, onCarried: watch.onCarried, signal, now },
      devices: () => devices.owners(clients.backend, false),
      withRadio: (work) => this.#withRadio(work),
      onWritten: (command, device) => {
        // The run that begins is worth watching.
        if (command.intent.kind === 'water') devices.returnSoon(device);
        watch.onWritten?.(command);
      },
    });
    const heard = ({ type, payload }: { readonly type: string; readonly payload: unknown }) =>
      this.#errands.announced(type, payload);
    clients.relay.subscribe(COMMANDS_STREAM, heard, { from: 'now' });
  }

  /** Turns to every device that is due. Whoever asks during a round gets that round. */
  round(): Promise<readonly HubVisit[]> {
    this.#round ??= this.#visits().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** What failed or was not heard without a network is done in the next round. */
  networkIsBack(): void {
    this.#reportsNotBefore = 0;
    this.#options.devices.networkIsBack();
    this.#errands.askSoon();
  }

  /** Resolves when nothing goes on any more, however it ended. */
  async settled(): Promise<void> {
    await this.#round?.catch(() => {});
    await this.#errands.settled().catch(() => {});
  }

  async #visits(): Promise<readonly HubVisit[]> {
    const { clients, devices, signal } = this.#options;
    const due = devices.due();
    if (signal.aborted) return [];
    const visits: HubVisit[] = [];
    try {
      await this.#errands.look();
      await this.#sendReports();
      if (due.length === 0) return [];
      const bySerial = await devices.owners(clients.backend, true);
      for (const device of due) {
        const [serial] = [...bySerial].find(([, one]) => one === device) ?? [];
        if (serial === undefined) devices.leaveToOthers(device);
        // A phone may have come while the hub was busy with another device.
        else if (devices.isDue(device)) {
          await this.#readGarden(device, serial);
          if (!devices.isDue(device) || signal.aborted) continue;
          const outcome = await this.#withRadio(() => this.#visit(device, serial));
          visits.push({ serial, outcome });
        }
      }
    } catch (error) {
      if (signal.aborted) return visits;
      if (!(error instanceof BackendError)) throw error;
      for (const device of due) devices.visited(device, { outcome: 'no_backend', reason: error.message });
    }
    return visits;
  }

  async #visit(device: DeviceInRange, serial: string): Promise<HubVisitOutcome> {
    const { peerId, clients, devices, record, signal, now, watch } = this.#options;
    const outcome = await visitAsHub({
      ...{ device, serial, backend: clients.backend, peerId, record, signal, now },
      onStop: (listener) => this.#errands.onStop(listener),
      async tell(about, event) {
        await clients.relay.enqueue(DEVICES_STREAM, hubEventDraft(about, event));
      },
      onPhase: (phase) => watch.onPhase?.(serial, phase),
      onProgress: (progress) => watch.onProgress?.(serial, progress),
    });
    devices.visited(device, outcome);
    return outcome;
  }

  /** Reads a device's garden and brings it to the account; what can't be sent waits. */
  async #readGarden(device: DeviceInRange, serial: string): Promise<void> {
    const { clients, devices, sync, signal, now, watch } = this.#options;
    const isNeeded = () => this.#errands.isWaiting || devices.isAnotherDue(device);
    const outcome = await this.#withRadio(() => syncAsHub({ device, serial, sync, signal, now, isNeeded }));
    signal.throwIfAborted();
    if (outcome === undefined) return;
    const { reads, sessions } = outcome.gathered;
    const rowBytes = reads.reduce((sum, { rows }) => sum + rows.byteLength, 0);
    watch.onSynced?.({ serial, rowBytes, sessions: sessions.length, failures: outcome.failures });
    await sync.send(clients.telemetry);
  }

  /** What an earlier visit could not send. */
  async #sendReports(): Promise<void> {
    const { clients, record, now } = this.#options;
    const { reports } = record.now;
    if (reports.length === 0 || now() < this.#reportsNotBefore) return;
    this.#reportsNotBefore = now() + REPORTS_AGAIN_MS;
    const keep = (unsent: typeof reports) => record.change(() => ({ reports: unsent }));
    await new ReportQueue(clients.backend, reports, keep).flush();
  }

  #withRadio<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#radio.then(work);
    this.#radio = turn.catch(() => {});
    return turn;
  }
}
