import type { Uid } from '../../platform/ids.ts';
import type { FleetState } from '../device/device.ts';
import { type Person, personOf } from '../device/person.ts';

/** Every event in a device's life, by its name in the audit. */
export type AuditAction =
  | 'provision'
  | 'activate'
  | 'claim'
  | 'unclaim'
  | 'revoke'
  | 'reactivate'
  | 'transfer_offered'
  | 'transfer_cancelled'
  | 'transfer'
  | 'replace'
  | 'claim_code_reissued'
  | 'firmware_changed';

export type Actor =
  | { readonly kind: 'user'; readonly uid: Uid }
  | { readonly kind: 'factory'; readonly station: string }
  | { readonly kind: 'admin' }
  | { readonly kind: 'system' };

/** A device's state and owner before or after an entry. */
export interface Standing {
  readonly state: FleetState;
  readonly owner: Uid | null;
}

export interface AuditEntry {
  readonly action: AuditAction;
  readonly actor: Actor;
  readonly reason: string | undefined;
  /** Null for a device that did not exist. */
  readonly before: Standing | null;
  readonly after: Standing;
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** An entry as read. Users are pseudonyms, which can be resolved only while their accounts exist. */
export interface StoredAuditEntry {
  readonly action: string;
  /** `person:<pseudonym>`, `factory:<station>`, `admin` or `system`. */
  readonly actor: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly reason?: string;
  readonly before?: StoredStanding;
  readonly after: StoredStanding;
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

export interface StoredStanding {
  readonly state: string;
  readonly owner?: Person;
}

/** Append-only entries outlive accounts. They never contain a uid, so deleting an account doesn't change them. */
export function storedEntry(entry: AuditEntry, timestamp: string): StoredAuditEntry {
  const { action, actor, reason, before, after, facts } = entry;
  return {
    action,
    actor: storedActor(actor),
    timestamp,
    ...(reason === undefined ? {} : { reason }),
    ...(before === null ? {} : { before: storedStanding(before) }),
    after: storedStanding(after),
    ...(facts === undefined ? {} : { facts }),
  };
}

function storedActor(actor: Actor): string {
  if (actor.kind === 'user') return `person:${personOf(actor.uid)}`;
  return actor.kind === 'factory' ? `factory:${actor.station}` : actor.kind;
}

function storedStanding({ state, owner }: Standing): StoredStanding {
  return owner === null ? { state } : { state, owner: personOf(owner) };
}

/** How a person is shown: `user:<uid>`, or the pseudonym once the account is deleted. */
export function personText(person: string, names: ReadonlyMap<string, Uid>): string {
  const uid = names.get(person);
  return uid === undefined ? `user:deleted-${person}` : `user:${uid}`;
}

export function actorText(actor: string, names: ReadonlyMap<string, Uid>): string {
  return actor.startsWith('person:') ? personText(actor.slice('person:'.length), names) : actor;
}
