import type { Migration } from './migration.ts';
import { lastActivity } from './migrations/0001-last-activity.ts';

/** Every migration, in the order in which they are made. */
export const MIGRATIONS: readonly Migration[] = [lastActivity];
