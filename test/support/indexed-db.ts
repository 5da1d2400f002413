import type { Database, IndexedDb, ObjectStore } from '../../relay-client/storage/indexed-db.ts';

type Transaction = ReturnType<Database['transaction']>;
type Request<Result> = Omit<ReturnType<IndexedDb['deleteDatabase']>, 'result'> & { readonly result: Result };

/** Handlers are called after the code that sets them, as a browser does. */
function told(handler: () => unknown): void {
  setImmediate(() => {
    const call = handler();
    if (typeof call === 'function') call();
  });
}

/** A browser's databases in memory, as far as the relay's client uses them. */
export function memoryIndexedDb() {
  const databases = new Map<string, Map<string, Map<string | number, unknown>>>();
  let refusal: Error | undefined;

  function answered<Result>(result: Result): Request<Result> {
    const request: Request<Result> = { result, error: undefined, onsuccess: null, onerror: null };
    told(() => request.onsuccess);
    return request;
  }

  function refused(error: Error): Request<undefined> {
    const request: Request<undefined> = { result: undefined, error, onsuccess: null, onerror: null };
    told(() => request.onerror);
    return request;
  }

  const storeOf = (items: Map<string | number, unknown>): ObjectStore => ({
    add(value) {
      const id = items.size + 1;
      items.set(id, typeof value === 'object' ? { ...value, id } : value);
      return answered(id);
    },
    put(value, key) {
      const own = typeof value === 'object' && value !== null && 'id' in value ? Number(value.id) : 0;
      items.set(key ?? own, value);
      return answered(key);
    },
    get: (key) => (refusal === undefined ? answered(items.get(key)) : refused(refusal)),
    getAll: () => answered([...items.values()]),
    delete(key) {
      items.delete(key);
      return answered(undefined);
    },
  });

  const databaseOf = (stores: Map<string, Map<string | number, unknown>>): Database => ({
    onversionchange: null,
    createObjectStore: (name) => stores.set(name, new Map()),
    transaction(_stores, mode) {
      const transaction: Transaction = {
        error: refusal,
        oncomplete: null,
        onabort: null,
        onerror: null,
        objectStore: (name) => storeOf(refusal === undefined ? (stores.get(name) ?? new Map()) : new Map()),
      };
      const ended = () => (refusal === undefined ? transaction.oncomplete : transaction.onabort);
      // After the requests in it.
      if (mode === 'readwrite') setImmediate(() => told(ended));
      return transaction;
    },
    close: () => {},
  });

  const indexedDb: IndexedDb = {
    open(name) {
      const isNew = !databases.has(name);
      const stores = databases.get(name) ?? new Map();
      databases.set(name, stores);
      const opening: ReturnType<IndexedDb['open']> = {
        ...{ result: databaseOf(stores), error: undefined },
        ...{ onsuccess: null, onerror: null, onupgradeneeded: null, onblocked: null },
      };
      if (isNew) told(() => opening.onupgradeneeded);
      told(() => opening.onsuccess);
      return opening;
    },
    deleteDatabase(name) {
      databases.delete(name);
      return answered(undefined);
    },
  };
  return {
    indexedDb,
    /** Puts something there as another version of the client would have left it. */
    leave(database: string, store: string, key: string | number, value: unknown) {
      databases.get(database)?.get(store)?.set(key, value);
    },
    /** From now on the browser refuses to read and write, as on a full disk. */
    refuse(error: Error | undefined) {
      refusal = error;
    },
  };
}
