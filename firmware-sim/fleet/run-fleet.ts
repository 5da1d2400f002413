import pMap from 'p-map';
import type { BackendClient } from '../phone/backend-client.ts';
import type { PhoneProfileName } from '../phone/phone-profile.ts';
import type { UpdatePhase } from '../phone/update-device.ts';
import type { FleetDevice, Visit } from './fleet-device.ts';
import type { Fate } from './mix.ts';

/** What happened to one device. */
export interface DeviceRecord {
  readonly serial: string;
  readonly phone: string;
  readonly profile: PhoneProfileName;
  readonly fate: Fate;
  readonly fromVersion: string;
  readonly endVersion: string;
  /** When it reached its last version; undefined if its version never changed. */
  readonly updatedAtMs: number | undefined;
  readonly visits: readonly Visit[];
}

export interface FleetRun {
  /** Returns the backend of a device's owner. */
  readonly backendOf: (device: FleetDevice) => BackendClient;
  /** Devices simulated at a time. */
  readonly concurrency: number;
  readonly onPhase?: (device: FleetDevice, phase: UpdatePhase) => void;
  readonly onDone?: (device: FleetDevice, record: DeviceRecord) => void;
  readonly signal?: AbortSignal;
}

const MOST_VISITS = 3;
/** Owners whose visit failed return about a day later. */
const AWAY_MS = 20 * 60 * 60 * 1000;

/** Lets every owner visit their device, more than once after bad luck, and returns the records in the given order. */
export function runFleet(devices: readonly FleetDevice[], run: FleetRun): Promise<readonly DeviceRecord[]> {
  const { concurrency, signal } = run;
  return pMap(devices, (device) => runDevice(device, run), { concurrency, ...(signal && { signal }) });
}

async function runDevice(device: FleetDevice, run: FleetRun): Promise<DeviceRecord> {
  const fromVersion = device.runningVersion ?? '';
  const visits: Visit[] = [];
  for (let next = device.lot.startMs; visits.length < MOST_VISITS; next += AWAY_MS) {
    await device.waitUntil(next);
    const visit = await device.visit(run.backendOf(device), (phase) => run.onPhase?.(device, phase), run.signal);
    visits.push(visit);
    if (!isWorthAnother(visit) || device.lot.fate === 'vanishes') break;
  }
  const endVersion = device.runningVersion ?? '';
  const record: DeviceRecord = {
    ...{ serial: device.serial, phone: device.lot.phone.name, fate: device.lot.fate, fromVersion, endVersion, visits },
    profile: device.lot.profile,
    updatedAtMs: endVersion === fromVersion ? undefined : visits.at(-1)?.endMs,
  };
  run.onDone?.(device, record);
  return record;
}

/** Bad luck is retried; a decision of the firmware or the backend is not. */
function isWorthAnother({ outcome }: Visit): boolean {
  return ['lost', 'unconfirmed', 'bad_download', 'backend_unavailable'].includes(outcome);
}

/** A backend with one release and no accounts, for a fleet that runs without a cloud. */
export function singleRelease(release: {
  readonly version: string;
  readonly image: Uint8Array;
  readonly sha256: string;
}): BackendClient {
  const { version, image, sha256 } = release;
  return {
    async latest(_serial, currentVersion) {
      if (currentVersion === version) return { reason: 'up_to_date' };
      return { offer: { version, sha256, sizeBytes: image.byteLength, url: '', nonce: undefined } };
    },
    async download() {
      return image;
    },
    async report(reports) {
      return reports.map(() => false);
    },
  };
}
