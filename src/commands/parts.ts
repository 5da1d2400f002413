import { createFleetDevices, type FleetDevices } from '../fleet/index.ts';
import type { Services } from '../platform/services.ts';
import { type Commands, createCommands } from './commands.ts';
import { createDueStore, type DueStore } from './store/due-store.ts';
import { createQueueStore } from './store/queue-store.ts';
import { createSettingsStore, type SettingsStore } from './store/settings-store.ts';
import type { Told } from './telling.ts';

export interface CommandParts {
  readonly fleet: FleetDevices;
  readonly due: DueStore;
  readonly settings: SettingsStore;
  readonly commands: Commands;
}

export function createCommandParts(services: Services, told: Told): CommandParts {
  const store = createQueueStore(services);
  const due = createDueStore(services);
  return {
    fleet: createFleetDevices(services),
    due,
    settings: createSettingsStore(services),
    commands: createCommands(services, store, due, told),
  };
}
