/** As much of the browser's IndexedDB as is used here, so that the package needs no types of the browser. */
export interface IndexedDb {
  open(name: string, version: number): OpenRequest;
  deleteDatabase(name: string): Request<unknown>;
}

interface Request<Result> {
  readonly result: Result;
  readonly error: unknown;
  onsuccess: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

interface OpenRequest extends Request<Database> {
  onupgradeneeded: ((event: never) => void) | null;
  onblocked: ((event: never) => void) | null;
}

export interface Database {
  createObjectStore(name: string, options?: { autoIncrement?: boolean; keyPath?: string }): unknown;
  transaction(
    stores: string | string[],
    mode: 'readonly' | 'readwrite',
    options?: { durability: 'strict' },
  ): Transaction;
  close(): void;
  onversionchange: ((event: never) => void) | null;
}

interface Transaction {
  objectStore(name: string): ObjectStore;
  readonly error: unknown;
  oncomplete: ((event: never) => void) | null;
  onabort: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export interface ObjectStore {
  add(value: unknown): Request<unknown>;
  put(value: unknown, key?: string): Request<unknown>;
  get(key: string | number): Request<unknown>;
  getAll(): Request<unknown[]>;
  delete(key: string | number): Request<unknown>;
}

export async function openDatabase(
  indexedDb: IndexedDb,
  name: string,
  version: number,
  create: (database: Database) => void,
): Promise<Database> {
  const opening = indexedDb.open(name, version);
  opening.onupgradeneeded = () => create(opening.result);
  const database = await resultOf(opening);
  // Another tab may want to delete or change it.
  database.onversionchange = () => database.close();
  return database;
}

export function resultOf<Result>(request: Request<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Writes, and resolves when what was written survives the end of the browser. */
export async function written(database: Database, store: string, write: (store: ObjectStore) => void): Promise<void> {
  const transaction = database.transaction(store, 'readwrite', { durability: 'strict' });
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    write(transaction.objectStore(store));
  });
}
