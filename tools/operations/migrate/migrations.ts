import type { Migration } from './migration.ts';
import { lastActivity } from './migrations/0001-last-activity.ts';

/** All migrations, in the order in which they are applied. */
export const MIGRATIONS: readonly Migration[] = [lastActivity];
