import { paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { TablePlace } from '../../cli/target/place.ts';

const Device = z.object({
  partition: z.string(),
  hw_id: z.string(),
  serial: z.string(),
  heard_at: z.number(),
});

/** A device of which an account has telemetry. */
export interface DeviceWithTelemetry {
  readonly uid: string;
  readonly hwId: string;
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly heardAt: number;
}

/** Yields all devices with telemetry, or those with one serial: its present owner's and former ones'. */
export async function* devicesWithTelemetry(place: TablePlace, serial?: string): AsyncGenerator<DeviceWithTelemetry> {
  const pages = paginateScan(
    { client: place.dynamo },
    {
      TableName: place.tableName('garden'),
      FilterExpression: `begins_with(#record, :device)${serial === undefined ? '' : ' AND serial = :serial'}`,
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: marshall({ ':device': 'device#', ...(serial !== undefined && { ':serial': serial }) }),
    },
  );
  for await (const { Items: items = [] } of pages) {
    for (const item of items) {
      const device = Device.safeParse(unmarshall(item));
      if (!device.success) continue;
      const { partition, hw_id: hwId, heard_at: heardAt } = device.data;
      yield { uid: decodeURIComponent(partition), hwId, serial: device.data.serial, heardAt };
    }
  }
}
