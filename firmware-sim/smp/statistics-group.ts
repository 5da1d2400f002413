import { MGMT, STATISTICS_ERROR } from './errors.ts';
import { textField } from './fields.ts';
import { GROUP } from './header.ts';
import type { Command, SmpGroup } from './server.ts';

/** Counters by name, in groups by name. */
export type Statistics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** `CONFIG_MCUMGR_GRP_STAT_MAX_NAME_LEN`, which includes the end of the string. */
const LONGEST_NAME = 31;

/** The statistics group: 0 reads one group of counters, 1 lists the group names (Zephyr `stat_mgmt.c`). */
export function statisticsGroup(statistics: () => Statistics): SmpGroup {
  const show: Command = {
    decodes: true,
    run(fields) {
      const name = textField(fields, 'name');
      if (!name.ok || name.value === undefined) return { rc: MGMT.invalid };
      if (name.value === '' || name.value.length > LONGEST_NAME) return { rc: MGMT.invalid };
      const counters = new Map(Object.entries(statistics())).get(name.value);
      if (counters === undefined) return { error: STATISTICS_ERROR.invalidGroup };
      return { fields: { name: name.value, fields: { ...counters } } };
    },
  };
  const list: Command = { decodes: false, run: () => ({ fields: { stat_list: Object.keys(statistics()) } }) };
  return { id: GROUP.statistics, read: { 0: show, 1: list }, write: {} };
}
