import { openBrowserStorage } from '@autowatering/relay-client';
import { describe, expect, it } from 'vitest';
import { memoryIndexedDb } from '../../support/indexed-db.ts';

const NAME = 'of-ada';
const entry = (event_id: string) => ({ stream: 'log', event: { event_id, type: 'counted', sent_at: 1, payload: 1 } });
const peer = { peerId: 'p1', apiUrl: 'https://api.example.com', url: 'wss://relay.example.com' };

describe('what a peer keeps in a browser', () => {
  it('is there when the page is opened again: what waits, positions, keys and who it is', async () => {
    const { indexedDb } = memoryIndexedDb();
    const before = await openBrowserStorage(indexedDb, NAME);
    const [first, second] = [await before.outbox.add(entry('a')), await before.outbox.add(entry('b'))];
    await before.outbox.update([{ ...second, ifSeq: 4 }]);
    await before.outbox.remove([first.id]);
    await before.positions.save('log', { epoch: 'e', seq: 7 });
    await before.serverKeys.save({ one: 'key' });
    await before.savePeer(peer);
    const key = await before.peerKey();
    before.close();

    const after = await openBrowserStorage(indexedDb, NAME);
    expect(await after.outbox.all()).toEqual([{ ...entry('b'), id: second.id, ifSeq: 4 }]);
    expect(await after.positions.load('log')).toEqual({ epoch: 'e', seq: 7 });
    expect(await after.serverKeys.load()).toEqual({ one: 'key' });
    expect(await after.peer()).toEqual(peer);
    expect((await after.peerKey()).publicKey).toBe(key.publicKey);
  });

  it('is nothing at first, of another user too, and nothing again once it is erased', async () => {
    const { indexedDb } = memoryIndexedDb();
    const ada = await openBrowserStorage(indexedDb, NAME);
    await ada.savePeer(peer);
    const isEmpty = async () => {
      const storage = await openBrowserStorage(indexedDb, 'of-grace');
      return [await storage.outbox.all(), await storage.peer(), await storage.positions.load('log')];
    };
    expect(await isEmpty()).toEqual([[], undefined, undefined]);
    await ada.erase();
    expect(await (await openBrowserStorage(indexedDb, NAME)).peer()).toBeUndefined();
  });

  it('is made anew where a version of another time left something else', async () => {
    const { indexedDb, leave } = memoryIndexedDb();
    const storage = await openBrowserStorage(indexedDb);
    const database = 'autowatering-relay';
    for (const key of ['peer', 'server-keys', 'peer-key']) leave(database, 'values', key, 'something else');
    leave(database, 'values', 'peer', { peerId: 'p1' });
    leave(database, 'positions', 'log', { epoch: 'e' });
    leave(database, 'outbox', 1, null);
    expect(await storage.outbox.all()).toEqual([]);
    expect([await storage.peer(), await storage.serverKeys.load(), await storage.positions.load('log')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect((await storage.peerKey()).publicKey).toBe((await storage.peerKey()).publicKey);
  });

  it('is an error, and not lost silently, where the browser refuses to keep it', async () => {
    const { indexedDb, refuse } = memoryIndexedDb();
    const storage = await openBrowserStorage(indexedDb);
    refuse(new Error('The disk is full.'));
    await expect(storage.outbox.add(entry('a'))).rejects.toThrow('The disk is full.');
    await expect(storage.peer()).rejects.toThrow('The disk is full.');
    refuse(undefined);
    expect(await storage.outbox.all()).toEqual([]);
  });
});
