import type { WholeBackendClient } from '../phone/backend-client.ts';
import type { DeviceInRange } from './device-in-range.ts';
import { type DeviceKnowledge, whenDue } from './hub-rules.ts';
import type { HubVisitOutcome } from './hub-visit.ts';

/** Which devices are the owner's changes seldom. */
const SERIALS_KEPT_MS = 60_000;

const NOTHING_KNOWN: DeviceKnowledge = { failures: 0 };

/** The outcomes whose cause may pass. */
const FAILURES: readonly HubVisitOutcome['outcome'][] = [
  'no_backend',
  'not_believed',
  'out_of_reach',
  'lost',
  'bad_download',
];

/** The devices in a hub's range: what it knows about each, which of them are due, and which are its owner's. */
export class HubDevices {
  readonly #inRange: readonly DeviceInRange[];
  readonly #now: () => number;
  readonly #known = new Map<string, DeviceKnowledge>();
  readonly #stopListening: readonly (() => void)[];
  #owners: { readonly at: number; readonly bySerial: ReadonlyMap<string, DeviceInRange> } | undefined;

  /** Listens for phones near them, until `close`. */
  constructor(inRange: readonly DeviceInRange[], now: () => number) {
    this.#inRange = inRange;
    this.#now = now;
    this.#stopListening = inRange.map(({ hwId, link }) =>
      link.onPhoneNear(() => this.#learn(hwId, { phoneHeardAt: now() })),
    );
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }

  isDue({ hwId }: DeviceInRange): boolean {
    return whenDue(this.#known.get(hwId) ?? NOTHING_KNOWN, this.#now()).isDue;
  }

  due(): readonly DeviceInRange[] {
    return this.#inRange.filter((device) => this.isDue(device));
  }

  isAnotherDue(than: DeviceInRange): boolean {
    return this.#inRange.some((device) => device !== than && this.isDue(device));
  }

  /** It is a neighbour's, or was not claimed yet. */
  leaveToOthers({ hwId }: DeviceInRange): void {
    this.#learn(hwId, { visitedAt: this.#now(), failures: 0 });
  }

  /** Something begins there that is worth watching. */
  returnSoon({ hwId }: DeviceInRange): void {
    this.#learn(hwId, { visitedAt: undefined, failures: 0 });
  }

  /** What failed without a network need not wait any longer. */
  networkIsBack(): void {
    for (const [hwId, { failures }] of this.#known) {
      if (failures > 0) this.#learn(hwId, { failures: 0, visitedAt: undefined });
    }
  }

  visited({ hwId }: DeviceInRange, outcome: HubVisitOutcome): void {
    const failures = FAILURES.includes(outcome.outcome) ? (this.#known.get(hwId)?.failures ?? 0) + 1 : 0;
    const leasedUntil = outcome.outcome === 'leased' ? outcome.until : undefined;
    // Whoever made room for a phone or another hub comes back as soon as that is over.
    const isOver = outcome.outcome !== 'stepped_back' && outcome.outcome !== 'leased';
    this.#learn(hwId, { failures, leasedUntil, visitedAt: isOver ? this.#now() : undefined });
  }

  /** The account's devices in range, by serial: asked for again if that is wanted, or if the last answer is old. */
  async owners(backend: WholeBackendClient, isFresh: boolean): Promise<ReadonlyMap<string, DeviceInRange>> {
    const known = this.#owners;
    if (!isFresh && known !== undefined && this.#now() - known.at < SERIALS_KEPT_MS) return known.bySerial;
    const serials = await backend.devices();
    const bySerial = new Map<string, DeviceInRange>();
    for (const device of this.#inRange) {
      const serial = serials.get(device.hwId);
      if (serial !== undefined) bySerial.set(serial, device);
    }
    this.#owners = { at: this.#now(), bySerial };
    return bySerial;
  }

  #learn(hwId: string, learned: Partial<DeviceKnowledge>): void {
    this.#known.set(hwId, { ...(this.#known.get(hwId) ?? NOTHING_KNOWN), ...learned });
  }
}
