import { CHANNELS, startRun } from '@autowatering/device-data';
import { Garden } from '../../garden/garden.ts';
import { AttError } from '../../garden/gatt/att-error.ts';
import type { TrueRun } from '../../garden/world/garden-truth.ts';
import type { PlantedFault } from '../../garden/world/planted-fault.ts';
import { type GardenAtHand, gardenAtHand } from '../../sync/garden-at-hand.ts';
import type { GatheredSession } from '../../sync/gathering.ts';
import { ROW_BYTES } from '../../sync/row-bytes.ts';
import type { RunWatch } from '../../sync/run-watch.ts';
import type { TelemetryClient } from '../../sync/telemetry-client.ts';
import { homePhone, sendAll } from './home-phone.ts';
import type { Household, PlannedVisit } from './household.ts';
import { type Brought, hasLeftEvidence } from './left-evidence.ts';

const MINUTE_MS = 60_000;
const BY_HAND_MINUTES = 4;
const A_WHILE_MS = 45 * MINUTE_MS;
const LOOK_MS = 5_000;
const MTU = 247;
/** Phones find a network after so many visits: a year in minutes must not exceed an account's requests. */
const VISITS_BETWEEN = 7;

export interface LiveYearOptions {
  readonly household: Household;
  readonly days: number;
  readonly serial: string;
  /** Where the phones bring what they read. Default: nowhere; they then keep only their own cursors. */
  readonly client?: TelemetryClient;
  /** The clock at which uploads are sent, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Called before what failed is sent again at the end of the year. Default: no pause. */
  readonly pause?: () => Promise<unknown>;
  readonly signal?: AbortSignal;
}

/** A run that somebody watched from start to end, beside what it really took. */
export interface WatchedLitres {
  readonly saidMl: number;
  readonly trueMl: number;
}

export interface PlantedRecord {
  readonly fault: PlantedFault;
  readonly hasLeftEvidence: boolean;
  /** The first visit after its end: what is found of it is found by then. */
  readonly overBy: number;
}

/** What became of one device in its year. */
export interface DeviceYear {
  readonly serial: string;
  readonly habit: Household['habit'];
  readonly days: number;
  readonly visits: number;
  readonly rows: number;
  readonly alarmsRaised: number;
  readonly alarmsRelayed: number;
  readonly runs: readonly TrueRun[];
  readonly sessions: readonly GatheredSession[];
  readonly watched: readonly WatchedLitres[];
  readonly planted: readonly PlantedRecord[];
  readonly failures: number;
  readonly refused: number;
}

/** Lets a household live with its device, and its phones read it as the device sheet says. */
export async function liveYear(options: LiveYearOptions): Promise<DeviceYear> {
  const { household, days, serial, client, now = Date.now, pause, signal } = options;
  const garden = new Garden(household.garden);
  const endsAt = garden.startsAt + days * 24 * 60 * MINUTE_MS;
  const phones = Array.from({ length: household.phones }, (_, index) =>
    homePhone({ name: `phone-${serial}-${index}`, client, now }),
  );
  const sum = { visits: 0, rows: 0, alarmsRelayed: 0, failures: 0, refused: 0 };
  const sessions: GatheredSession[] = [];
  const brought: Brought[] = [];
  let [repaired, visitsSinceSent] = [0, 0];
  let bootedAt: number | undefined;

  for (const visit of household.visits) {
    signal?.throwIfAborted();
    if (visit.at < garden.now || visit.at >= endsAt) continue;
    garden.advanceTo(visit.at);
    const phone = phones[visit.phone];
    if (!garden.isOn || phone === undefined) continue;
    const reach = gardenAtHand(garden, MTU);
    try {
      const { gathered, failures } = await phone.visit({ serial, reach, stay: stayOf(visit, reach) });
      sum.visits += 1;
      sum.failures += failures.length;
      for (const { kind, rows } of gathered.reads) sum.rows += rows.byteLength / ROW_BYTES[kind];
      sum.alarmsRelayed += gathered.readings.filter(({ kind, bytes }) => kind === 'alarm' && bytes[0] !== 0).length;
      sessions.push(...gathered.sessions);
      const boot = gathered.uptime && gathered.uptime.readAt - gathered.uptime.uptimeMs;
      const hasRestarted = boot !== undefined && bootedAt !== undefined && boot > bootedAt + 3 * MINUTE_MS;
      bootedAt = boot ?? bootedAt;
      if (household.faults.length > 0) brought.push({ gathered, at: garden.now, hasRestarted });
    } finally {
      reach.close();
    }
    repaired += repair(garden, household.faults, repaired);
    visitsSinceSent += 1;
    if (visitsSinceSent < VISITS_BETWEEN) continue;
    visitsSinceSent = 0;
    for (const one of phones) sum.refused += (await one.send()).refused;
  }
  for (const phone of phones) sum.refused += await sendAll(phone, pause);
  garden.advanceTo(endsAt);
  const { runs, alarms } = garden.truth;
  return {
    ...{ serial, habit: household.habit, days, runs, sessions, ...sum, alarmsRaised: alarms.length },
    watched: sessions.flatMap((session) => watchedLitres(session, runs)),
    planted: household.faults.map((fault) => ({
      ...{ fault, hasLeftEvidence: hasLeftEvidence(fault, brought) },
      overBy: brought.find(({ at }) => at >= fault.until)?.at ?? endsAt,
    })),
  };
}

/** What the owner does beside the device once the phone has read it. */
function stayOf({ stays }: PlannedVisit, reach: GardenAtHand) {
  return async (watch: RunWatch): Promise<void> => {
    const watchRun = async () => {
      while (watch.isRunning) await reach.wait(LOOK_MS);
    };
    if (stays === 'watering_by_hand') {
      if (await hasStarted(reach, 0)) {
        await reach.wait(LOOK_MS);
        await watchRun();
      }
    } else if (stays === 'for_a_while') {
      await reach.wait(A_WHILE_MS);
      await watchRun();
    }
  };
}

/** Frost and rain refuse. */
async function hasStarted({ gatt }: GardenAtHand, channel: number): Promise<boolean> {
  const { characteristic, bytes } = startRun(channel % CHANNELS, { minutes: BY_HAND_MINUTES });
  try {
    await gatt.write(characteristic, bytes);
    return true;
  } catch (error) {
    if (error instanceof AttError) return false;
    throw error;
  }
}

/** What was wrong is over: a technician removes the locks that nobody else can. @returns how many faults that is */
function repair(garden: Garden, faults: readonly PlantedFault[], repaired: number): number {
  const over = faults.filter(({ until }) => until <= garden.now).length;
  if (over <= repaired) return 0;
  garden.clearLocks();
  // A clock chip that failed is looked for again when the device starts.
  if (faults.some(({ kind, until }) => kind === 'lost_clock' && until <= garden.now)) garden.reboot();
  return over - repaired;
}

/** What a phone measured of a whole run, beside what really went through the meter in it. */
function watchedLitres(session: GatheredSession, runs: readonly TrueRun[]): readonly WatchedLitres[] {
  if (!session.sawStart || session.ended === 'lost_sight') return [];
  const run = runs.find(
    ({ zone, startedAt }) => zone === session.channel && Math.abs(startedAt - session.startedAt) < MINUTE_MS,
  );
  return run === undefined ? [] : [{ saidMl: session.millilitres, trueMl: run.meteredMl }];
}
