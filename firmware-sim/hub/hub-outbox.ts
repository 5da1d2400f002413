import type { Outbox, OutboxEntry, PinStore } from '@autowatering/relay-client';
import type { KeptRecord } from './hub-memory.ts';

/** Events that wait for a connection, in the hub's memory. */
export function hubOutbox(record: KeptRecord): Outbox {
  let lastId = record.now.outbox.reduce((most, { id }) => Math.max(most, id), 0);
  return {
    async add(entry) {
      lastId += 1;
      const added: OutboxEntry = { ...entry, id: lastId };
      await record.change(({ outbox }) => ({ outbox: [...outbox, added] }));
      return added;
    },
    all: async () => record.now.outbox,
    update: (changed) =>
      record.change(({ outbox }) => ({
        outbox: outbox.map((entry) => changed.find(({ id }) => id === entry.id) ?? entry),
      })),
    remove: (ids) => record.change(({ outbox }) => ({ outbox: outbox.filter(({ id }) => !ids.includes(id)) })),
  };
}

/** The relay server's pinned keys, in the hub's memory. */
export function hubPins(record: KeptRecord): PinStore {
  return {
    load: async () => record.now.serverKeys,
    save: (serverKeys) => record.change(() => ({ serverKeys })),
  };
}
