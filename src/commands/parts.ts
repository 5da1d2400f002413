import { createFleetDevices, type FleetDevices } from '../fleet/index.ts';
import type { Services } from '../platform/services.ts';
import { type Commands, createCommands } from './commands.ts';
import { createQueueStore, type QueueStore } from './store/queue-store.ts';
import { createSettingsStore, type SettingsStore } from './store/settings-store.ts';
import type { Telling } from './telling.ts';

export interface CommandParts {
  readonly fleet: FleetDevices;
  readonly store: QueueStore;
  readonly settings: SettingsStore;
  readonly commands: Commands;
}

export function createCommandParts(services: Services, telling: Telling): CommandParts {
  const store = createQueueStore(services);
  return {
    fleet: createFleetDevices(services),
    store,
    settings: createSettingsStore(services),
    commands: createCommands(services, store, telling),
  };
}
