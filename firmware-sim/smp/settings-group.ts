import type { CborFields } from './cbor.ts';
import { MGMT, SETTINGS_ERROR } from './errors.ts';
import { bytesField, textField, uintField } from './fields.ts';
import { GROUP } from './header.ts';
import type { Command, CommandResult, SmpGroup } from './server.ts';

/** `CONFIG_MCUMGR_GRP_SETTINGS_NAME_LEN`, which includes the end of the string, and `…_VALUE_LEN`. */
const LONGEST_NAME = 31;
const LONGEST_VALUE = 36;

/** A firmware's settings: the current values, and the saved ones, which return at the next start. */
export class SettingsStore {
  readonly #defaults: ReadonlyMap<string, Uint8Array>;
  readonly #saved = new Map<string, Uint8Array>();
  #values: Map<string, Uint8Array>;

  /** @param defaults every key of the firmware; the part before the first `/` is its root */
  constructor(defaults: ReadonlyMap<string, Uint8Array>) {
    this.#defaults = defaults;
    this.#values = new Map(defaults);
  }

  hasRoot(key: string): boolean {
    const root = key.split('/')[0];
    return [...this.#defaults.keys()].some((known) => known.split('/')[0] === root);
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#defaults.has(key);
  }

  set(key: string, value: Uint8Array): void {
    this.#values.set(key, value);
  }

  /** Forgets the saved value; the firmware keeps its current one. */
  remove(key: string): void {
    this.#saved.delete(key);
  }

  save(): void {
    for (const [key, value] of this.#values) this.#saved.set(key, value);
  }

  load(): void {
    for (const [key, value] of this.#saved) this.#values.set(key, value);
  }

  /** Simulates a reset: only saved values remain. */
  restart(): void {
    this.#values = new Map([...this.#defaults, ...this.#saved]);
  }
}

/** The settings group: 0 read and write, 1 delete, 2 commit, 3 load and save (Zephyr `settings_mgmt.c`). */
export function settingsGroup(store: SettingsStore): SmpGroup {
  const done: CommandResult = { fields: {} };
  const onKey = (run: (key: string, fields: CborFields) => CommandResult): Command => ({
    decodes: true,
    run(fields) {
      const name = textField(fields, 'name');
      if (!name.ok || name.value === undefined || name.value === '') return { rc: MGMT.invalid };
      if (name.value.length > LONGEST_NAME) return { error: SETTINGS_ERROR.keyTooLong };
      if (!store.hasRoot(name.value)) return { error: SETTINGS_ERROR.rootKeyNotFound };
      return run(name.value, fields);
    },
  });
  const read = onKey((key, fields) => {
    const most = uintField(fields, 'max_size');
    if (!most.ok) return { rc: MGMT.invalid };
    const value = store.get(key);
    if (value === undefined) return { error: SETTINGS_ERROR.keyNotFound };
    const asked = most.value ?? LONGEST_VALUE;
    const val = value.subarray(0, Math.min(asked, LONGEST_VALUE));
    return { fields: { val, ...(asked > LONGEST_VALUE && { max_size: LONGEST_VALUE }) } };
  });
  const write = onKey((key, fields) => {
    const value = bytesField(fields, 'val');
    if (!value.ok) return { rc: MGMT.invalid };
    if (!store.has(key)) return { error: SETTINGS_ERROR.keyNotFound };
    store.set(key, value.value ?? new Uint8Array(0));
    return done;
  });
  const remove = onKey((key) => {
    store.remove(key);
    return done;
  });
  const plain = (run: () => void): Command => ({
    decodes: false,
    run() {
      run();
      return done;
    },
  });
  return {
    id: GROUP.settings,
    read: { 0: read, 3: plain(() => store.load()) },
    write: { 0: write, 1: remove, 2: plain(() => {}), 3: plain(() => store.save()) },
  };
}
