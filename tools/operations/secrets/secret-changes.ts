import { PlainError } from '../../cli/plain-error.ts';
import { isStandIn, SECRET_NAMES, type SecretName, secretKey } from './secret-keys.ts';

/** The secret's entries: a value each, or a list during a rotation. Unknown entries are kept unchanged. */
export type SecretContent = Readonly<Record<string, unknown>>;

export interface Wishes {
  /** The secret's environment: only prod takes live Stripe keys. */
  readonly environment: string;
  /** Entries to replace with a new value. */
  readonly rotate: readonly SecretName[];
  /** Entries whose old values are removed. */
  readonly retire: readonly SecretName[];
  /** Entries whose rotation may remove a value that is still valid. */
  readonly drop: readonly SecretName[];
  /** Returns the value of an entry that can't be generated; undefined if it is not known yet. */
  given(name: SecretName): Promise<string | undefined>;
}

export interface Changes {
  readonly content: SecretContent;
  /** What was done with each entry; never a value. */
  readonly done: Readonly<Partial<Record<SecretName, Done>>>;
  /** Entries that still have no value. */
  readonly missing: readonly SecretName[];
}

/** `stood-in`: the value is not known yet, and an unusable placeholder was stored. */
type Done = 'added' | 'rotated' | 'retired' | 'stood-in';

/** How many values of a rotating entry are valid at the same time. */
const MOST_VALUES = 2;

/**
 * Returns the new content of the secret: missing entries are added, existing ones change only on request.
 *
 * @throws PlainError if a change is not possible; nothing is to be written then
 */
export async function changedSecret(current: SecretContent, wishes: Wishes): Promise<Changes> {
  const content: Record<string, unknown> = { ...current };
  const done: Partial<Record<SecretName, Done>> = {};
  const missing: SecretName[] = [];
  for (const name of SECRET_NAMES) {
    const had = valuesOf(current[name]);
    const isThere = current[name] !== undefined && current[name] !== '';
    const isRotated = wishes.rotate.includes(name) && isThere;
    // Don't discard a value that we don't understand without being asked to.
    if (isThere && had.length === 0 && !isRotated)
      throw new PlainError(`${name} is malformed: --rotate ${name} replaces it.`);
    if (had.length === 0 || isRotated) {
      if (isRotated && secretKey(name).rotation === 'never') throw new PlainError(neverText(name));
      if (isRotated) refuseSilentDrop(name, had, wishes);
      const value = await newValue(name, wishes);
      if (value !== undefined && had.includes(value))
        throw new PlainError(`${name}: the new value is the same as the old one.`);
      if (value !== undefined) {
        content[name] = inFront(name, value, had);
        done[name] = isRotated ? 'rotated' : 'added';
      } else if (isRotated) {
        throw new PlainError(
          `No new value for ${name}: set the environment variable ${name}, or run this command on a terminal.`,
        );
      } else if (secretKey(name).standIn !== undefined) {
        content[name] = secretKey(name).standIn?.();
        done[name] = 'stood-in';
      } else {
        missing.push(name);
      }
    } else if (wishes.retire.includes(name) && had.length > 1) {
      content[name] = had[0];
      done[name] = 'retired';
    }
  }
  return { content, done, missing };
}

async function newValue(name: SecretName, wishes: Wishes): Promise<string | undefined> {
  const { generate, pattern } = secretKey(name);
  const value = generate === undefined ? await wishes.given(name) : generate();
  if (value !== undefined && !pattern.test(value)) throw new PlainError(`${name} does not look like one.`);
  const [fault] = value === undefined ? [] : stripeFault(name, [value], wishes.environment);
  if (fault !== undefined) throw new PlainError(`${fault}: it was not stored.`);
  return value;
}

/** Newest first: it is the one in use, the others are only still accepted. */
function inFront(name: SecretName, value: string, had: readonly string[]): string | readonly string[] {
  if (secretKey(name).rotation !== 'list' || had.length === 0) return value;
  const known = had.filter((one) => !isStandIn(one));
  return known.length === 0 ? value : [value, ...known].slice(0, MOST_VALUES);
}

/** A value that is still valid is only removed when it is retired or dropped by name. */
function refuseSilentDrop(name: SecretName, had: readonly string[], { drop }: Wishes): void {
  const isFull = had.filter((one) => !isStandIn(one)).length >= MOST_VALUES;
  if (secretKey(name).rotation !== 'list' || !isFull || drop.includes(name)) return;
  throw new PlainError(
    `${name} is already being rotated: another new value would remove the oldest one, which may still be in use` +
      `${secretKey(name).ends === undefined ? '' : ` (${secretKey(name).ends})`}. Once it is no longer in use: --retire ${name}, ` +
      `then rotate. To remove it now anyway: --rotate ${name} --drop ${name}.`,
  );
}

function neverText(name: SecretName): string {
  return `${name} can't be rotated: used trials are recorded with it, and everyone would get a second one.`;
}

/** Entries whose value is not known yet. */
export function standingIn(content: SecretContent): readonly SecretName[] {
  return SECRET_NAMES.filter((name) => valuesOf(content[name]).some(isStandIn));
}

/** Returns the faults of the secret, one sentence each, without any values. */
export function secretFaults(content: SecretContent, environment: string): readonly string[] {
  return SECRET_NAMES.flatMap((name) => {
    const values = valuesOf(content[name]);
    if (content[name] === undefined) return [`${name} is missing (${secretKey(name).purpose})`];
    if (values.length === 0) return [`${name} is neither a string nor a list of strings`];
    if (values.length > 1 && secretKey(name).rotation !== 'list') return [`${name} can't be a list`];
    if (values.some((value) => !secretKey(name).pattern.test(value))) return [`${name} does not look like one`];
    return stripeFault(name, values, environment);
  });
}

/** A test key in prod would charge nobody; a live key elsewhere would charge real money. */
function stripeFault(name: SecretName, values: readonly string[], environment: string): readonly string[] {
  if (name !== 'STRIPE_SECRET_KEY') return [];
  const isLive = values.some((value) => /^(sk|rk)_live_/.test(value));
  if (isLive === (environment === 'prod')) return [];
  return [isLive ? `${name} is a live key, and this is not prod` : `${name} is a test key, and this is prod`];
}

function valuesOf(entry: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(entry) ? entry : [entry];
  const texts = list.filter((value): value is string => typeof value === 'string' && value !== '');
  return texts.length === list.length ? texts : [];
}
