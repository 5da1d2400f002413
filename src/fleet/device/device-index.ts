import type { Services } from '../../platform/services.ts';
import { fields, listOf, number, text } from '../../platform/shapes.ts';
import { type Device, FLEET_STATES, type FleetState, fleetStateOf } from './device.ts';
import { toDevice } from './stored-items.ts';

/** Filters for listing devices. The first one given selects the index; the others are checked against each device. */
export interface DeviceFilter {
  readonly firmwareVersion?: string | undefined;
  readonly batch?: string | undefined;
  readonly board?: string | undefined;
  readonly state?: FleetState | undefined;
}

export interface DevicePage {
  readonly devices: readonly Device[];
  readonly next?: string;
}

const STATES = FLEET_STATES;
/** A page may be cut short when a filter matches little; its cursor leads on. */
const MOST_READS = 20;
const BATCH = 100;
/** Keys read at once, however few devices are still wanted: a filter may match none of them. */
const FEWEST_KEYS = 25;

/** A part of the list, and the serial number and hardware id of a device in it. */
type Cursor = readonly [part: number, serialNumber: number, hwId: string];

const indexKeys = fields({ hw_id: text, serial_seq: number });
const deviceKeys = listOf(fields({ hw_id: text, record: text }));

/** Whether a cursor belongs to a list of devices. */
export function isDeviceCursor(text: string): boolean {
  return parseCursor(text) !== undefined;
}

function parseCursor(cursor: string): Cursor | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(cursor);
  } catch {
    // Not JSON: the cursor belongs to something else.
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed.length !== 3) return undefined;
  const [part, serialNumber, hwId]: readonly unknown[] = parsed;
  if (typeof part !== 'number' || !Number.isInteger(part) || part < 0 || part > STATES.length) return undefined;
  if (typeof serialNumber !== 'number' || !Number.isFinite(serialNumber)) return undefined;
  return typeof hwId === 'string' && hwId.length <= 64 ? [part, serialNumber, hwId] : undefined;
}

/** The devices of the whole fleet from kept indexes, ordered by serial; it never scans. */
export function createDeviceIndex({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const { provisioning } = config.tables;

  const readAll = async (keys: readonly { readonly hw_id: string }[]): Promise<readonly Device[]> => {
    const devices: Device[] = [];
    let wanted = keys.map(({ hw_id }) => ({ hw_id, record: 'device' }));
    while (wanted.length > 0) {
      const { Responses: found, UnprocessedKeys: left } = await (await documents()).batchGet({
        RequestItems: { [provisioning]: { Keys: wanted } },
      });
      devices.push(...(found[provisioning] ?? []).map(toDevice));
      wanted = deviceKeys(left[provisioning]?.Keys ?? []);
    }
    return devices.sort((a, b) => a.serialNumber - b.serialNumber);
  };

  return {
    /** At most `limit` devices, and `next` if there may be more. */
    async listDevices(filter: DeviceFilter, limit: number, after: string | undefined): Promise<DevicePage> {
      const parts = partsOf(filter);
      const [startPart, startSeq, startHwId] = (after === undefined ? undefined : parseCursor(after)) ?? [0, 0, ''];
      const devices: Device[] = [];
      let reads = 0;
      for (const [part, { index, attribute, value }] of parts.entries()) {
        if (part < startPart) continue;
        const resumes = part === startPart && startHwId !== '';
        let from: Record<string, unknown> | undefined = resumes
          ? { hw_id: startHwId, record: 'device', [attribute]: value, serial_seq: startSeq }
          : undefined;
        do {
          const wanted = Math.min(BATCH, Math.max(FEWEST_KEYS, limit - devices.length));
          const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
            TableName: provisioning,
            IndexName: index,
            KeyConditionExpression: '#by = :value',
            ExpressionAttributeNames: { '#by': attribute },
            ExpressionAttributeValues: { ':value': value },
            Limit: wanted,
            ExclusiveStartKey: from,
          });
          reads += 1;
          const keys = items.map((item) => indexKeys(item));
          const found = (await readAll(keys)).filter((device) => matches(device, filter));
          const left = limit - devices.length;
          devices.push(...found.slice(0, left));
          const lastFitting = found[left - 1];
          if (found.length > left && lastFitting !== undefined) {
            return { devices, next: JSON.stringify([part, lastFitting.serialNumber, lastFitting.hwId]) };
          }
          from = last;
          const lastKey = keys.at(-1);
          if (lastKey !== undefined && (devices.length >= limit || reads >= MOST_READS)) {
            return { devices, next: JSON.stringify([part, lastKey.serial_seq, lastKey.hw_id]) };
          }
        } while (from !== undefined);
      }
      return { devices };
    },
  };
}

interface Part {
  readonly index: string;
  readonly attribute: string;
  readonly value: string;
}

function partsOf({ firmwareVersion, batch, board, state }: DeviceFilter): readonly Part[] {
  if (firmwareVersion !== undefined) {
    return [{ index: 'firmware-index', attribute: 'firmware_version', value: firmwareVersion }];
  }
  if (batch !== undefined) return [{ index: 'batch-index', attribute: 'batch', value: batch }];
  if (state !== undefined) return STATES.filter((stored) => mayHold(stored, state)).map(ofState);
  if (board !== undefined) return [{ index: 'board-index', attribute: 'board', value: board }];
  return STATES.map(ofState);
}

/** Claimed devices are indexed as active; those claimed before this rule are still indexed as claimed. */
function mayHold(stored: FleetState, wanted: FleetState): boolean {
  return stored === wanted || (stored === 'active' && wanted === 'claimed');
}

function ofState(state: FleetState): Part {
  return { index: 'status-index', attribute: 'fleet_status', value: state };
}

/** The index may lag, so the device's current state decides. */
function matches(device: Device, { firmwareVersion, batch, board, state }: DeviceFilter): boolean {
  return (
    (state === undefined || fleetStateOf(device) === state) &&
    (batch === undefined || device.batch === batch) &&
    (board === undefined || device.board === board) &&
    (firmwareVersion === undefined || device.firmware?.version === firmwareVersion)
  );
}
