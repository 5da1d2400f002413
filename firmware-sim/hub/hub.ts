import {
  createRelayClient,
  exportPeerKey,
  generatePeerKey,
  importPeerKey,
  type OpenSocket,
  type PeerKey,
  peerKeyOf,
  peerTokens,
  type RelayClient,
  RelayError,
  registrationProof,
  systemClock,
} from '@autowatering/relay-client';
import { type CommandClient, commandClient, type LeasedCommand } from '../carrying/command-client.ts';
import { BackendError, backendClient, type WholeBackendClient } from '../phone/backend-client.ts';
import type { UploadProgress } from '../phone/image-upload.ts';
import { ReportQueue } from '../phone/report-queue.ts';
import type { SigningKeys } from '../phone/signed-answer.ts';
import type { UpdatePhase } from '../phone/update-device.ts';
import { GardenSync } from '../sync/garden-sync.ts';
import { type TelemetryClient, telemetryClient } from '../sync/telemetry-client.ts';
import type { DeviceInRange } from './device-in-range.ts';
import { type CarriedCommand, COMMANDS_STREAM, HubErrands } from './hub-errands.ts';
import { DEVICES_STREAM, hubEventDraft } from './hub-events.ts';
import { hubSyncMemory, syncAsHub } from './hub-garden.ts';
import { type HubMemory, type HubPeer, KeptRecord } from './hub-memory.ts';
import { hubOutbox, hubPins } from './hub-outbox.ts';
import { type HubSide, hubLabelText, PairingError } from './hub-pairing.ts';
import { type DeviceKnowledge, whenDue } from './hub-rules.ts';
import { type HubVisitOutcome, visitAsHub } from './hub-visit.ts';

export interface HubOptions {
  readonly memory: HubMemory;
  readonly devices: readonly DeviceInRange[];
  /** The keys that the hub shipped with, by which the backend signs its answers. */
  readonly signingKeys: SigningKeys;
  /** Default: the platform's WebSocket, which Node has since 22. */
  readonly openSocket?: OpenSocket;
  readonly fetch?: typeof fetch;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  readonly onState?: (state: HubState) => void;
  readonly onPhase?: (serial: string, phase: UpdatePhase) => void;
  readonly onProgress?: (serial: string, progress: UploadProgress) => void;
  /** A device has accepted the writes of a command; whether it does it is seen later. */
  readonly onWritten?: (command: LeasedCommand) => void;
  readonly onCarried?: (carried: CarriedCommand) => void;
  readonly onSynced?: (synced: HubSynced) => void;
}

/** What a hub read of a garden; undefined if it could not. */
export interface HubSynced {
  readonly serial: string;
  readonly rowBytes: number;
  readonly sessions: number;
  readonly failures: readonly string[];
}

export type HubState =
  /** Nobody has registered it yet. */
  | 'unowned'
  | 'offline'
  | 'online'
  /** Its owner removed it, or the account is gone: it has forgotten its key. */
  | 'revoked'
  /** It does not trust the server, or its key is in use elsewhere. */
  | 'refused'
  | 'off';

export interface HubVisit {
  readonly serial: string;
  readonly outcome: HubVisitOutcome;
}

/** The hub ends what it does. */
class HubStoppedError extends Error {
  override readonly name = 'HubStoppedError';
}

/** After these there is no owner any more. */
const OWNERLESS: readonly string[] = ['revoked', 'account_deleted', 'unknown_peer', 'token_refused'];

/** Reports that could not be sent are tried again after that, or when the network is back. */
const REPORTS_AGAIN_MS = 30_000;

interface Owned {
  readonly peer: HubPeer;
  readonly relay: RelayClient;
  readonly backend: WholeBackendClient;
  readonly telemetry: TelemetryClient;
  readonly errands: HubErrands;
}

/** Which devices are the owner's changes seldom. */
const SERIALS_KEPT_MS = 60_000;

/**
 * A small computer beside devices, a peer of their owner: it updates them while no phone is near, reads their
 * gardens, carries commands to them, and tells the owner's phones over the relay. `round` does what is due; whatever it had begun when it lost power, the next start continues.
 */
export class Hub implements HubSide {
  readonly label: string;
  readonly #options: HubOptions;
  readonly #record: KeptRecord;
  readonly #key: PeerKey;
  readonly #known = new Map<string, DeviceKnowledge>();
  readonly #stop = new AbortController();
  readonly #stopListening: readonly (() => void)[];
  #owned: Owned | undefined;
  #state: HubState = 'unowned';
  #round: Promise<readonly HubVisit[]> | undefined;
  #forgetting: Promise<void> = Promise.resolve();
  #reportsNotBefore = 0;
  readonly #sync: GardenSync;
  #radio: Promise<unknown> = Promise.resolve();
  #serials: { readonly at: number; readonly bySerial: ReadonlyMap<string, DeviceInRange> } | undefined;

  /** Switches a hub on. A memory that is empty makes it a new one, with a key of its own. */
  static async start(options: HubOptions): Promise<Hub> {
    const { memory } = options;
    let stored = await memory.load();
    if (stored === undefined) {
      const key = await exportPeerKey(await generatePeerKey({ extractable: true }));
      stored = { key, attempts: {}, reports: [], outbox: [] };
      await memory.save(stored);
    }
    const hub = new Hub(options, new KeptRecord(memory, stored), await peerKeyOf(await importPeerKey(stored.key)));
    if (stored.peer !== undefined) hub.#connect(stored.peer);
    return hub;
  }

  private constructor(options: HubOptions, record: KeptRecord, key: PeerKey) {
    this.#options = options;
    this.#record = record;
    this.#key = key;
    this.label = hubLabelText(key);
    const name = `hub-${key.publicKey.slice(0, 12)}`;
    this.#sync = new GardenSync({ memory: hubSyncMemory(record), now: () => this.now(), name });
    this.#stopListening = options.devices.map(({ hwId, link }) =>
      link.onPhoneNear(() => this.#learn(hwId, { phoneHeardAt: this.now() })),
    );
  }

  get state(): HubState {
    return this.#state;
  }

  get peerId(): string | undefined {
    return this.#owned?.peer.peerId;
  }

  /** How many events, reports and uploads wait to be sent. */
  get untold(): number {
    const { outbox, reports } = this.#record.now;
    return outbox.length + reports.length + this.#sync.unsent;
  }

  /** Milliseconds since 1970, corrected by the server. */
  now(): number {
    return this.#owned?.relay.now() ?? this.#clock();
  }

  async proof(uid: string, time: number): Promise<string> {
    // Otherwise anybody beside it could take it over.
    if (this.#state !== 'unowned') throw new PairingError('the hub belongs to somebody already');
    return registrationProof(this.#key, uid, time);
  }

  async adopt(peer: HubPeer): Promise<void> {
    if (this.#state !== 'unowned') throw new PairingError('the hub belongs to somebody already');
    await this.#record.change(() => ({ peer }));
    this.#connect(peer);
  }

  /** Turns to every device that is due, one after the other: a hub has one radio. */
  round(): Promise<readonly HubVisit[]> {
    this.#round ??= this.#visits().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Switches it off, in the middle of whatever it does. Its memory stays. */
  async stop(): Promise<void> {
    if (this.#state !== 'revoked' && this.#state !== 'refused') this.#enter('off');
    this.#end();
    await this.#round?.catch(() => {});
    await this.#owned?.errands.settled().catch(() => {});
    await this.#forgetting;
    await this.#record.settled();
  }

  readonly #clock = () => (this.#options.now ?? Date.now)();

  #connect(peer: HubPeer): void {
    const { fetch: send = fetch, openSocket, signingKeys } = this.#options;
    const { peerId, apiUrl } = peer;
    const tokens = peerTokens({ ...{ apiUrl, peerId, key: this.#key, fetch: send }, now: () => this.now() });
    const clock = { ...systemClock, now: this.#clock };
    const relay = createRelayClient({
      ...{ url: peer.relayUrl, apiUrl, peerId, key: this.#key, tokens, fetch: send, clock },
      serverKeys: hubPins(this.#record),
      outbox: hubOutbox(this.#record),
      ...(openSocket && { openSocket }),
    });
    const calls = {
      ...{ apiBaseUrl: apiUrl, fetch: send, signal: this.#stop.signal },
      idToken: async (how: { readonly refresh: boolean }) => {
        try {
          return await tokens(how);
        } catch (error) {
          if (!(error instanceof RelayError)) throw error;
          if (OWNERLESS.includes(error.code)) this.#loseOwner();
          throw new BackendError(error.message, { cause: error });
        }
      },
    };
    const backend = backendClient({ ...calls, signingKeys, now: () => this.now() });
    const errands = this.#errandsWith(commandClient(calls), backend);
    this.#owned = { peer, relay, backend, telemetry: telemetryClient(calls), errands };
    relay.subscribe(COMMANDS_STREAM, ({ type, payload }) => errands.announced(type, payload), { from: 'now' });
    this.#enter('offline');
    relay.on('state', (next) => {
      if (next.state === 'refused') {
        if (OWNERLESS.includes(next.reason)) this.#loseOwner();
        else {
          this.#enter('refused');
          this.#end();
        }
      } else {
        if (next.state === 'online' && this.#state === 'offline') {
          this.#networkIsBack();
          errands.askSoon();
        }
        this.#enter(next.state === 'online' ? 'online' : 'offline');
      }
    });
  }

  #loseOwner(): void {
    if (this.#state === 'revoked' || this.#state === 'off') return;
    this.#enter('revoked');
    this.#end();
    this.#forgetting = this.#record.forget();
  }

  #end(): void {
    this.#stop.abort(new HubStoppedError('the hub stops'));
    for (const stop of this.#stopListening) stop();
    this.#owned?.relay.close();
  }

  #enter(state: HubState): void {
    const isOver = this.#state === 'revoked' || this.#state === 'refused' || this.#state === 'off';
    if (this.#state === state || isOver) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  #learn(hwId: string, learned: Partial<DeviceKnowledge>): void {
    this.#known.set(hwId, { ...(this.#known.get(hwId) ?? { failures: 0 }), ...learned });
  }

  /** What failed without a network need not wait any longer. */
  #networkIsBack(): void {
    this.#reportsNotBefore = 0;
    for (const [hwId, { failures }] of this.#known) {
      if (failures > 0) this.#learn(hwId, { failures: 0, visitedAt: undefined });
    }
  }

  async #visits(): Promise<readonly HubVisit[]> {
    const owned = this.#owned;
    const { signal } = this.#stop;
    const isDue = ({ hwId }: DeviceInRange) => whenDue(this.#known.get(hwId) ?? { failures: 0 }, this.now()).isDue;
    const due = this.#options.devices.filter(isDue);
    if (owned === undefined || signal.aborted) return [];
    const visits: HubVisit[] = [];
    try {
      await owned.errands.look();
      await this.#sendReports(owned.backend);
      if (due.length === 0) return [];
      const bySerial = await this.#devicesOf(owned.backend, true);
      for (const device of due) {
        const [serial] = [...bySerial].find(([, one]) => one === device) ?? [];
        // A neighbour's device, or one that was not claimed yet.
        if (serial === undefined) this.#learn(device.hwId, { visitedAt: this.now(), failures: 0 });
        // A phone may have come while the hub was busy with another device.
        else if (isDue(device)) {
          await this.#readGarden(owned, device, serial);
          if (!isDue(device) || signal.aborted) continue;
          const outcome = await this.#withRadio(() => this.#visit(owned, device, serial));
          visits.push({ serial, outcome });
        }
      }
    } catch (error) {
      if (signal.aborted) return visits;
      if (!(error instanceof BackendError)) throw error;
      for (const { hwId } of due) this.#learnOutcome(hwId, { outcome: 'no_backend', reason: error.message });
    }
    return visits;
  }

  async #visit(
    { peer, relay, backend, errands }: Owned,
    device: DeviceInRange,
    serial: string,
  ): Promise<HubVisitOutcome> {
    const { onPhase, onProgress } = this.#options;
    const outcome = await visitAsHub({
      ...{ device, serial, backend, peerId: peer.peerId, record: this.#record, signal: this.#stop.signal },
      now: () => this.now(),
      onStop: (listener) => errands.onStop(listener),
      async tell(about, event) {
        await relay.enqueue(DEVICES_STREAM, hubEventDraft(about, event));
      },
      onPhase: (phase) => onPhase?.(serial, phase),
      onProgress: (progress) => onProgress?.(serial, progress),
    });
    this.#learnOutcome(device.hwId, outcome);
    return outcome;
  }

  #learnOutcome(hwId: string, outcome: HubVisitOutcome): void {
    const hasFailed = ['no_backend', 'not_believed', 'out_of_reach', 'lost', 'bad_download'].includes(outcome.outcome);
    const failures = hasFailed ? (this.#known.get(hwId)?.failures ?? 0) + 1 : 0;
    const leasedUntil = outcome.outcome === 'leased' ? outcome.until : undefined;
    // Whoever made room for a phone or another hub comes back as soon as that is over.
    const isOver = outcome.outcome !== 'stepped_back' && outcome.outcome !== 'leased';
    this.#learn(hwId, { failures, leasedUntil, visitedAt: isOver ? this.now() : undefined });
  }

  /** The account's devices in range. */
  async #devicesOf(backend: WholeBackendClient, isFresh: boolean): Promise<ReadonlyMap<string, DeviceInRange>> {
    const known = this.#serials;
    if (!isFresh && known !== undefined && this.now() - known.at < SERIALS_KEPT_MS) return known.bySerial;
    const serials = await backend.devices();
    const bySerial = new Map<string, DeviceInRange>();
    for (const device of this.#options.devices) {
      const serial = serials.get(device.hwId);
      if (serial !== undefined) bySerial.set(serial, device);
    }
    this.#serials = { at: this.now(), bySerial };
    return bySerial;
  }

  /** One thing after the other. */
  #withRadio<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#radio.then(work);
    this.#radio = turn.catch(() => {});
    return turn;
  }

  #errandsWith(client: CommandClient, backend: WholeBackendClient): HubErrands {
    const { onWritten, onCarried } = this.#options;
    return new HubErrands({
      ...{ client, onCarried, signal: this.#stop.signal, now: () => this.now() },
      devices: () => this.#devicesOf(backend, false),
      withRadio: (work) => this.#withRadio(work),
      onWritten: (command, { hwId }) => {
        // The run that begins is worth watching.
        if (command.intent.kind === 'water') this.#learn(hwId, { visitedAt: undefined, failures: 0 });
        onWritten?.(command);
      },
    });
  }

  /** Reads a device's garden and brings it to the account; what can't be sent waits. */
  async #readGarden({ telemetry, errands }: Owned, device: DeviceInRange, serial: string): Promise<void> {
    const { signal } = this.#stop;
    const outcome = await this.#withRadio(() =>
      syncAsHub({
        ...{ device, serial, sync: this.#sync, signal, now: () => this.now() },
        isNeeded: () => errands.isWaiting || this.#isOtherDue(device),
      }),
    );
    signal.throwIfAborted();
    if (outcome === undefined) return;
    const { reads, sessions } = outcome.gathered;
    const rowBytes = reads.reduce((sum, { rows }) => sum + rows.byteLength, 0);
    this.#options.onSynced?.({ serial, rowBytes, sessions: sessions.length, failures: outcome.failures });
    await this.#sync.send(telemetry);
  }

  #isOtherDue(device: DeviceInRange): boolean {
    return this.#options.devices.some(
      (other) => other !== device && whenDue(this.#known.get(other.hwId) ?? { failures: 0 }, this.now()).isDue,
    );
  }

  /** What an earlier visit could not send. */
  async #sendReports(backend: WholeBackendClient): Promise<void> {
    const { reports } = this.#record.now;
    if (reports.length === 0 || this.now() < this.#reportsNotBefore) return;
    this.#reportsNotBefore = this.now() + REPORTS_AGAIN_MS;
    await new ReportQueue(backend, reports, (unsent) => this.#record.change(() => ({ reports: unsent }))).flush();
  }
}
