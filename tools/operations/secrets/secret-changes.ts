import { PlainError } from '../../cli/plain-error.ts';
import { isStandIn, SECRET_NAMES, type SecretName, secretKey } from './secret-keys.ts';

/** What the secret holds: a value, or a list while it rotates. Entries that are not ours stay as they are. */
export type SecretContent = Readonly<Record<string, unknown>>;

export interface Wishes {
  /** The environment whose secret it is: only prod takes real money. */
  readonly environment: string;
  /** Entries that get a new value, though they have one. */
  readonly rotate: readonly SecretName[];
  /** Entries whose former values are no longer good. */
  readonly retire: readonly SecretName[];
  /** Entries whose rotation may end a value that is still good. */
  readonly drop: readonly SecretName[];
  /** The value of an entry that we can't make ourselves; undefined when nobody knows it now. */
  given(name: SecretName): Promise<string | undefined>;
}

export interface Changes {
  readonly content: SecretContent;
  /** What was done with which entry; never a value. */
  readonly done: Readonly<Partial<Record<SecretName, Done>>>;
  /** Entries that are still without a value. */
  readonly missing: readonly SecretName[];
}

/** `stood-in`: its value is not known yet, and something that opens nothing is in its place. */
type Done = 'added' | 'rotated' | 'retired' | 'stood-in';

/** How many values of a rotating entry are good at the same time. */
const MOST_VALUES = 2;

/**
 * What the secret becomes: whatever is missing is added, and nothing that is there changes unless it was asked for.
 *
 * @throws PlainError when a wish can't be fulfilled; then nothing has to be written
 */
export async function changedSecret(current: SecretContent, wishes: Wishes): Promise<Changes> {
  const content: Record<string, unknown> = { ...current };
  const done: Partial<Record<SecretName, Done>> = {};
  const missing: SecretName[] = [];
  for (const name of SECRET_NAMES) {
    const had = valuesOf(current[name]);
    const isThere = current[name] !== undefined && current[name] !== '';
    const isRotated = wishes.rotate.includes(name) && isThere;
    // Whatever it is, it is not ours to throw away unasked.
    if (isThere && had.length === 0 && !isRotated)
      throw new PlainError(`${name} is malformed: --rotate ${name} replaces it.`);
    if (had.length === 0 || isRotated) {
      if (isRotated && secretKey(name).rotation === 'never') throw new PlainError(neverText(name));
      if (isRotated) refuseSilentDrop(name, had, wishes);
      const value = await newValue(name, wishes);
      if (value !== undefined && had.includes(value)) throw new PlainError(`${name}: the new value is the old one.`);
      if (value !== undefined) {
        content[name] = inFront(name, value, had);
        done[name] = isRotated ? 'rotated' : 'added';
      } else if (isRotated) {
        throw new PlainError(`${name} has no new value: set the variable ${name}, or run this on a terminal.`);
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
  if (fault !== undefined) throw new PlainError(`${fault}: it is not put into the secret.`);
  return value;
}

/** The newest first: it is the one that we send and hand out, the others are only still taken. */
function inFront(name: SecretName, value: string, had: readonly string[]): string | readonly string[] {
  if (secretKey(name).rotation !== 'list' || had.length === 0) return value;
  const known = had.filter((one) => !isStandIn(one));
  return known.length === 0 ? value : [value, ...known].slice(0, MOST_VALUES);
}

/** A value that is still good ends only when it is retired, or dropped by name. */
function refuseSilentDrop(name: SecretName, had: readonly string[], { drop }: Wishes): void {
  const isFull = had.filter((one) => !isStandIn(one)).length >= MOST_VALUES;
  if (secretKey(name).rotation !== 'list' || !isFull || drop.includes(name)) return;
  throw new PlainError(
    `${name} is rotating already: another new value would end the oldest one, which may still be in use` +
      `${secretKey(name).ends === undefined ? '' : ` (${secretKey(name).ends})`}. When nobody uses it any more: --retire ${name}, ` +
      `then rotate. To end it now all the same: --rotate ${name} --drop ${name}.`,
  );
}

function neverText(name: SecretName): string {
  return `${name} is never changed: marks of used trials are made with it, and everybody would get a second one.`;
}

/** Entries whose value is not known yet. */
export function standingIn(content: SecretContent): readonly SecretName[] {
  return SECRET_NAMES.filter((name) => valuesOf(content[name]).some(isStandIn));
}

/** Everything that is wrong with the secret, a sentence each; none of them holds a value. */
export function secretFaults(content: SecretContent, environment: string): readonly string[] {
  return SECRET_NAMES.flatMap((name) => {
    const values = valuesOf(content[name]);
    if (content[name] === undefined) return [`${name} is missing (${secretKey(name).purpose})`];
    if (values.length === 0) return [`${name} is neither a text nor a list of texts`];
    if (values.length > 1 && secretKey(name).rotation !== 'list') return [`${name} can't be a list`];
    if (values.some((value) => !secretKey(name).pattern.test(value))) return [`${name} does not look like one`];
    return stripeFault(name, values, environment);
  });
}

/** A test key in prod takes no money; a live key anywhere else takes real money for nothing. */
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
