import { marshall } from '@aws-sdk/util-dynamodb';
import type { TablePlace } from '../../cli/target/place.ts';
import { type DeviceWithTelemetry, devicesWithTelemetry } from '../telemetry/devices.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A device that is given back by mistake finds its history again for so long after it was last heard of. */
const ABANDONED_AFTER_MS = 30 * DAY_MS;

/** Yields what accounts hold of devices that are no longer theirs. */
export async function* abandonedTelemetry(place: TablePlace, now: number): AsyncGenerator<DeviceWithTelemetry> {
  for await (const device of devicesWithTelemetry(place)) {
    if (device.heardAt > now - ABANDONED_AFTER_MS) continue;
    const { Item: owned } = await place.dynamo.getItem({
      TableName: place.tableName('users'),
      Key: marshall({ uid: device.uid, record: `device#${device.serial}` }),
      ConsistentRead: true,
    });
    if (owned === undefined) yield device;
  }
}

/** Removes it, the item that leads to the rest at last. Can be repeated. */
export async function removeTelemetryOf(place: TablePlace, { uid, hwId }: DeviceWithTelemetry): Promise<void> {
  const TableName = place.tableName('garden');
  const account = encodeURIComponent(uid);
  for (;;) {
    const { Items: items = [] } = await place.dynamo.query({
      TableName,
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
      ExpressionAttributeValues: marshall({ ':partition': `${account}#telemetry#${hwId}` }),
      ProjectionExpression: '#partition, #record',
      ConsistentRead: true,
    });
    if (items.length === 0) break;
    for (const Key of items) await place.dynamo.deleteItem({ TableName, Key });
  }
  await place.dynamo.deleteItem({ TableName, Key: marshall({ partition: account, record: `device#${hwId}` }) });
}
