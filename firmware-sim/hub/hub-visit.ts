import { randomUUID } from 'node:crypto';
import { releaseVersionOfReport } from '@autowatering/release-format';
import { LinkLostError, type Transport } from '../link/transport.ts';
import { BackendError, type Offer, type WholeBackendClient } from '../phone/backend-client.ts';
import { deviceCommands, type ImageEntry } from '../phone/device-commands.ts';
import type { UploadProgress } from '../phone/image-upload.ts';
import { type VisitOutcome, visitDevice } from '../phone/owner-visit.ts';
import { ReportQueue } from '../phone/report-queue.ts';
import { UnsignedAnswerError } from '../phone/signed-answer.ts';
import { SmpClient, SmpTimeoutError } from '../phone/smp-client.ts';
import type { UpdatePhase } from '../phone/update-device.ts';
import type { DeviceInRange } from './device-in-range.ts';
import type { HubEvent } from './hub-events.ts';
import type { HubAttempt, KeptRecord } from './hub-memory.ts';
import { mayLeave } from './hub-rules.ts';

export interface HubVisitOptions {
  readonly device: DeviceInRange;
  readonly serial: string;
  readonly peerId: string;
  readonly record: KeptRecord;
  readonly backend: WholeBackendClient;
  /** Resolves when the event is safe, published or not. */
  readonly tell: (serial: string, event: HubEvent) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls when a stop waits for the hub's radio; returns what ends it. */
  readonly onStop: (listener: () => void) => () => void;
  /** Ends the visit at once: the hub lost its power, or its owner. */
  readonly signal: AbortSignal;
  readonly onPhase?: ((phase: UpdatePhase) => void) | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

export type HubVisitOutcome =
  | VisitOutcome
  /** A phone came, or a stop has to be carried. What is uploaded stays on the device. */
  | { readonly outcome: 'stepped_back' }
  /** Another phone holds the lease, until then. */
  | { readonly outcome: 'leased'; readonly until: number }
  | { readonly outcome: 'out_of_reach'; readonly reason: string }
  | { readonly outcome: 'no_backend'; readonly reason: string }
  /** The answer of the backend was not signed by a key that the hub knows. */
  | { readonly outcome: 'not_believed'; readonly reason: string };

/** A phone is near the device, or a stop waits, and comes first. */
class StepBackError extends Error {
  override readonly name = 'StepBackError';
}

const LEASE_RENEWED_MS = 4 * 60_000;

/**
 * One visit of a hub to a device: reads what runs, asks for an offer, and if there is one takes the lease and carries it
 * over. An update that an earlier visit began is continued.
 *
 * @throws the signal's reason
 */
export async function visitAsHub(options: HubVisitOptions): Promise<HubVisitOutcome> {
  const { device, signal, onStop } = options;
  const place = new Place(device, signal, onStop);
  try {
    const images = await device.air.run(() => imagesAt(place));
    const active = images.find((image) => image.active);
    if (active === undefined) return { outcome: 'out_of_reach', reason: 'the device reports no running image' };
    return await updateAt(place, active.version, options);
  } catch (error) {
    signal.throwIfAborted();
    if (place.steppedBackFor !== undefined) return { outcome: 'stepped_back' };
    if (error instanceof LinkLostError || error instanceof SmpTimeoutError) {
      return { outcome: 'out_of_reach', reason: error.message };
    }
    if (error instanceof BackendError) return { outcome: 'no_backend', reason: error.message };
    if (error instanceof UnsignedAnswerError) return { outcome: 'not_believed', reason: error.message };
    throw error;
  } finally {
    place.leave();
  }
}

/** The hub's connection to a device, which ends when a phone is heard, or a stop waits. */
class Place {
  readonly signal: AbortSignal;
  steppedBackFor: 'phone_near' | 'stop_waits' | undefined;
  phase: UpdatePhase | undefined;
  readonly #stop = new AbortController();
  readonly #device: DeviceInRange;
  readonly #stopListening: () => void;
  #transport: Transport | undefined;

  constructor(device: DeviceInRange, signal: AbortSignal, onStop: HubVisitOptions['onStop']) {
    this.#device = device;
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
    signal.addEventListener('abort', this.#hangUp, { once: true });
    const stepBack = (why: 'phone_near' | 'stop_waits') => {
      if (!mayLeave(this.phase)) return;
      this.steppedBackFor = why;
      this.#stop.abort(new StepBackError('something else comes first'));
      this.#hangUp();
    };
    const listening = [device.link.onPhoneNear(() => stepBack('phone_near')), onStop(() => stepBack('stop_waits'))];
    this.#stopListening = () => {
      for (const stop of listening) stop();
      signal.removeEventListener('abort', this.#hangUp);
    };
  }

  async connect(): Promise<Transport> {
    this.signal.throwIfAborted();
    const transport = await this.#device.link.connect('hub');
    if (this.signal.aborted) transport.close();
    this.signal.throwIfAborted();
    this.#transport = transport;
    return transport;
  }

  get time() {
    return this.#device.air.time;
  }

  leave(): void {
    this.#stopListening();
    this.#hangUp();
  }

  readonly #hangUp = () => this.#transport?.close();
}

async function imagesAt(place: Place): Promise<readonly ImageEntry[]> {
  const client = new SmpClient(await place.connect(), place.time);
  try {
    return await deviceCommands(client).images();
  } finally {
    client.close();
  }
}

async function updateAt(place: Place, running: string, options: HubVisitOptions): Promise<HubVisitOutcome> {
  const { device, serial, peerId, record, backend, tell, now } = options;
  const attempt = (): HubAttempt | undefined => record.now.attempts[serial];
  let lease: { readonly isHeld: boolean; readonly until: number; readonly at: number } | undefined;
  const takeLease = async () => {
    lease = { ...(await backend.lease(serial, peerId)), at: now() };
    return lease;
  };
  /** After a restart the device may run the new version on trial: what is to be done follows from where it began. */
  const runningVersion = attempt()?.fromVersion ?? running;
  try {
    const outcome = await device.air.run(() =>
      visitDevice({
        ...{ serial, runningVersion, time: place.time, signal: place.signal },
        connect: () => place.connect(),
        outside: (work) => device.air.outside(work),
        backend: {
          ...backend,
          async latest(asked, version) {
            const answer = await backend.latest(asked, version);
            if (answer.offer === undefined) return answer;
            if (!(await takeLease()).isHeld) return { reason: 'lease_held' };
            await begin(options, answer.offer, runningVersion);
            return answer;
          },
        },
        attemptId: () => reportId(attempt()),
        reports: new ReportQueue(backend, record.now.reports, (reports) => record.change(() => ({ reports }))),
        phone: { model: 'AutoWatering hub' },
        onPhase(phase) {
          place.phase = phase;
          options.onPhase?.(phase);
        },
        onProgress(progress) {
          // Without an answer the old lease lasts for some minutes yet.
          if (lease !== undefined && now() - lease.at > LEASE_RENEWED_MS) takeLease().catch(() => {});
          options.onProgress?.(progress);
        },
      }),
    );
    if (lease?.isHeld === false) return { outcome: 'leased', until: lease.until };
    await end(options, outcome);
    return outcome;
  } catch (error) {
    options.signal.throwIfAborted();
    const open = attempt();
    if (open !== undefined && place.steppedBackFor !== undefined) {
      await tell(serial, { type: 'device.update.paused', update: open, reason: place.steppedBackFor });
    }
    throw error;
  } finally {
    // It ends by itself in ten minutes, and the same hub may take it again at once.
    if (lease?.isHeld === true && !options.signal.aborted) await backend.giveBack(serial, peerId).catch(() => {});
  }
}

/** What reports are counted by: each try that ended in the backend's eyes is followed by another one. */
function reportId(attempt: HubAttempt | undefined): string {
  if (attempt === undefined) throw new Error('an update is reported that was not begun');
  return `${attempt.updateId}.${attempt.tries}`;
}

async function begin({ serial, record, tell }: HubVisitOptions, offer: Offer, running: string): Promise<void> {
  const known = record.now.attempts[serial];
  const fromVersion = releaseVersionOfReport(running);
  const update: HubAttempt =
    known?.version === offer.version
      ? known
      : { updateId: randomUUID(), version: offer.version, fromVersion, tries: 1, isTold: false };
  await record.change(({ attempts }) => ({ attempts: { ...attempts, [serial]: update } }));
  if (update.isTold) return;
  await tell(serial, { type: 'device.update.started', update });
  await record.change(({ attempts }) => ({ attempts: { ...attempts, [serial]: { ...update, isTold: true } } }));
}

async function end({ serial, record, tell }: HubVisitOptions, outcome: VisitOutcome): Promise<void> {
  const update = record.now.attempts[serial];
  if (update === undefined) return;
  if (outcome.outcome === 'lost') {
    const again = { ...update, tries: update.tries + 1 };
    await record.change(({ attempts }) => ({ attempts: { ...attempts, [serial]: again } }));
    await tell(serial, { type: 'device.update.paused', update, reason: 'out_of_reach' });
    return;
  }
  const isVerified = 'isVerified' in outcome && outcome.isVerified;
  await tell(serial, { type: 'device.update.finished', update, outcome: outcome.outcome, isVerified });
  await record.change(({ attempts: { [serial]: _ended, ...attempts } }) => ({ attempts }));
}
