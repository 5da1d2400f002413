import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

export type Metadata = Readonly<Record<string, string>>;

export interface Customer {
  readonly id: string;
  readonly email: string | null;
  readonly metadata: Metadata;
  readonly created: number;
  readonly deleted: boolean;
  /** What happens when the card on file is charged. */
  readonly card: 'none' | 'pays' | 'declines';
}

export interface CheckoutSession {
  readonly id: string;
  readonly customer: string;
  readonly clientReferenceId: string | null;
  readonly status: 'open' | 'complete' | 'expired';
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly price: string;
  readonly trialDays: number | null;
  readonly metadata: Metadata;
  readonly subscriptionMetadata: Metadata;
  readonly allowPromotionCodes: boolean;
  readonly created: number;
  readonly expiresAt: number;
  readonly subscription: string | null;
  /** Set by "Decline": the message above the page's buttons. */
  readonly lastError: string | null;
}

export type SubscriptionStatus =
  | 'active'
  | 'canceled'
  | 'incomplete'
  | 'incomplete_expired'
  | 'past_due'
  | 'paused'
  | 'trialing'
  | 'unpaid';

export interface Subscription {
  readonly id: string;
  readonly customer: string;
  readonly status: SubscriptionStatus;
  readonly price: string;
  readonly metadata: Metadata;
  readonly created: number;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly trialStart: number | null;
  readonly trialEnd: number | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly canceledAt: number | null;
  readonly endedAt: number | null;
  readonly trialEndTold: boolean;
  /** While a payment is open: time of the next retry, and the number of retries. */
  readonly retryAt: number | null;
  readonly retries: number;
}

export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  /** The object at the time of the event. */
  readonly object: unknown;
}

export interface PortalSession {
  readonly id: string;
  readonly customer: string;
  readonly returnUrl: string;
}

interface Everything {
  customers: Customer[];
  sessions: CheckoutSession[];
  subscriptions: Subscription[];
  portals: PortalSession[];
  events: StoredEvent[];
  /** How far this Stripe's clock is ahead of the real one, in seconds. */
  ahead: number;
}

type Listed = { [K in keyof Everything]: Everything[K] extends (infer T extends { id: string })[] ? T : never };
type Collection = { [K in keyof Listed]: [Listed[K]] extends [never] ? never : K }[keyof Listed];

/** The state of the local Stripe, in order of creation. */
export class StripeState {
  readonly #everything: Everything = {
    customers: [],
    sessions: [],
    subscriptions: [],
    portals: [],
    events: [],
    ahead: 0,
  };
  readonly #changed: () => void;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 of the real clock */
  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  /** Seconds since 1970, by this Stripe's own clock. */
  now(): number {
    return Math.floor(this.#now() / 1000) + this.#everything.ahead;
  }

  forward(seconds: number): void {
    this.#everything.ahead += seconds;
    this.#changed();
  }

  all<K extends Collection>(collection: K): readonly Listed[K][] {
    return this.#list(collection);
  }

  find<K extends Collection>(collection: K, id: string): Listed[K] | undefined {
    return this.#list(collection).find((one) => one.id === id);
  }

  /** Adds an object, or replaces the one with the same id. */
  save<K extends Collection>(collection: K, object: Listed[K]): void {
    const list = this.#list(collection);
    const at = list.findIndex((one) => one.id === object.id);
    if (at < 0) list.push(object);
    else list[at] = object;
    this.#changed();
  }

  /** Returns the part that is stored in a file. */
  toJson(): string {
    return JSON.stringify(this.#everything);
  }

  restore(json: string): void {
    Object.assign(this.#everything, JSON.parse(json));
  }

  #list<K extends Collection>(collection: K): Listed[K][] {
    const list: unknown = this.#everything[collection];
    return isListOf<Listed[K]>(list) ? list : [];
  }
}

/** The collections are typed by their names; the compiler can't follow that through the mapped type. */
function isListOf<T>(list: unknown): list is T[] {
  return Array.isArray(list);
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

const SAVE_MS = 50;

/** Stores the state in a file, so that it survives a restart; `flush` writes pending changes. */
export function keepInFile(file: string, state: () => StripeState) {
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  const write = () => {
    timer = undefined;
    const json = state().toJson();
    writing = writing.then(async () => {
      await writeFile(`${file}.new`, json);
      await rename(`${file}.new`, file);
    });
    return writing;
  };
  return {
    async load(): Promise<void> {
      await mkdir(path.dirname(file), { recursive: true });
      try {
        state().restore(await readFile(file, 'utf8'));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    },
    changed(): void {
      timer ??= setTimeout(() => void write(), SAVE_MS);
    },
    async flush(): Promise<void> {
      clearTimeout(timer);
      await write();
    },
  };
}
