import type { Services } from '../../platform/services.ts';
import { FLEET_STATES, type FleetState } from '../device/device.ts';
import { COUNTS_PARTITION } from './fleet-counts.ts';

export interface FleetSummary {
  readonly devices: number;
  readonly byStatus: Readonly<Record<FleetState, number>>;
  readonly byVersion: readonly { readonly board: string; readonly version: string; readonly devices: number }[];
  /** What happened each day, newest first. */
  readonly byDay: readonly { readonly day: string; readonly actions: Readonly<Record<string, number>> }[];
}

/** The kept counts of the whole fleet: a few queries on one partition, however many devices there are. */
export function createFleetSummary({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const { provisioning } = config.tables;

  /** The count items between two records, page by page. */
  const countItems = async (from: string, to: string): Promise<readonly Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await (await documents()).query({
        TableName: provisioning,
        KeyConditionExpression: 'hw_id = :counts AND #record BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':counts': COUNTS_PARTITION, ':from': from, ':to': to },
        ExclusiveStartKey: start,
      });
      items.push(...page.Items);
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  };

  return {
    /** @param firstDay the first day to include, as `2026-11-20` */
    async readSummary(firstDay: string): Promise<FleetSummary> {
      const [states, versions, days] = await Promise.all([
        countItems('status#', 'status#~'),
        countItems('version#', 'version#~'),
        countItems(`day#${firstDay}`, 'day#~'),
      ]);
      const byStatus = { factory_only: 0, active: 0, claimed: 0, revoked: 0 };
      for (const item of states) for (const state of FLEET_STATES) byStatus[state] += numberIn(item, state);
      const byDay = new Map<string, Record<string, number>>();
      for (const item of days) {
        const day = String(item['record']).split('#')[1] ?? '';
        const actions = byDay.get(day) ?? {};
        byDay.set(day, actions);
        for (const [name, value] of Object.entries(item)) {
          if (typeof value === 'number' && name !== 'schema') actions[name] = (actions[name] ?? 0) + value;
        }
      }
      return {
        devices: Object.values(byStatus).reduce((sum, count) => sum + count, 0),
        byStatus,
        byVersion: versionsIn(versions),
        byDay: [...byDay].map(([day, actions]) => ({ day, actions })).sort((a, b) => b.day.localeCompare(a.day)),
      };
    },
  };
}

function versionsIn(items: readonly Record<string, unknown>[]): FleetSummary['byVersion'] {
  const sums = new Map<string, { readonly board: string; readonly version: string; devices: number }>();
  for (const item of items) {
    const [, board = '', version = ''] = String(item['record']).split('#');
    const key = `${board}#${version}`;
    const sum = sums.get(key) ?? { board, version, devices: 0 };
    sum.devices += numberIn(item, 'devices');
    sums.set(key, sum);
  }
  return [...sums.values()].filter(({ devices }) => devices > 0).sort((a, b) => b.devices - a.devices);
}

function numberIn(item: Record<string, unknown>, name: string): number {
  const value = item[name];
  return typeof value === 'number' ? value : 0;
}
