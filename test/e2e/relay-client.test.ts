import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { portOf } from '../../tools/run/local-stack/process/ports.ts';
import { startBrowser } from '../support/browser.ts';
import { peerOf, reading } from '../support/relay-peers.ts';
import type { RelayVectors } from '../support/relay-vectors.ts';
import { nodeSocket, serveRelay } from '../support/relay-wires.ts';
import { smallRelay } from '../support/small-relay.ts';

const ENTRY = `
export * from './relay-client/index.ts';
export { clientAuth, clientHello } from './relay-client/session/handshake.ts';
export { agreedSecret } from './relay-client/crypto/curves.ts';
export { open, seal } from './relay-client/crypto/sealing.ts';
export { nextGeneration } from './relay-client/crypto/key-schedule.ts';
`;

let visitor: Awaited<ReturnType<typeof startBrowser>>;
let site: Server;
let origin: string;
let page: Page;
const relay = smallRelay(Date.now);
let served: Awaited<ReturnType<typeof serveRelay>>;

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: process.cwd() },
    bundle: true,
    format: 'esm',
    target: ['chrome137', 'safari17'],
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  const example = readFileSync('relay-client/example/index.html', 'utf8');
  site = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answerTo(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(200, { 'Content-Type': answer.type });
      response.end(answer.body);
    });
  });
  const json = (value: object) => ({ type: 'application/json', body: JSON.stringify(value) });
  const answerTo = (url: string, body: string) => {
    if (url === '/relay-client.js') return { type: 'text/javascript', body: script };
    if (url.startsWith('/example')) return { type: 'text/html; charset=utf-8', body: example };
    if (url === '/relay/peers') {
      relay.addPeer('in-the-browser', JSON.parse(body).public_key);
      return json({ ok: true, peer: { peer_id: 'in-the-browser' }, relay_url: served.url });
    }
    if (url === '/relay/token') return json({ access_token: 'made-by-assertion', expires_in: 3600 });
    if (url === '/.well-known/jwks.json') {
      const keys = Object.entries(relay.serverKeys).map(([kid, x]) => ({ kty: 'OKP', crv: 'Ed25519', kid, x }));
      return json({ keys });
    }
    const start =
      "<script type=module>import * as relay from './relay-client.js'; window.autowatering = relay;</script>";
    return { type: 'text/html', body: `<!doctype html><title>A page</title>${start}` };
  };
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  origin = `http://localhost:${portOf(site)}`;
  served = await serveRelay(relay);
  visitor = await startBrowser();
  const [tab] = visitor.browser.contexts().flatMap((context) => context.pages());
  if (tab === undefined) throw new Error('There is no page.');
  page = tab;
});
afterAll(async () => {
  await visitor.leave();
  await served.stop();
  site.closeAllConnections();
  site.close();
});

const arrive = async () => {
  await page.goto(origin);
  await page.waitForFunction('window.autowatering !== undefined');
};

describe('in a real browser', () => {
  it('Ed25519, X25519 and sealing give the vectors', async () => {
    const { vectors, x25519_keys_to_refuse }: RelayVectors = JSON.parse(
      readFileSync('test/fixtures/relay/vectors.json', 'utf8'),
    );
    await arrive();
    const seen: unknown[] = await page.evaluate(`(async () => {
      const { vectors, refused } = ${JSON.stringify({ vectors, refused: x25519_keys_to_refuse })};
      const a = autowatering;
      const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
      const hex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
      const pkcs8 = (prefix, raw) => new Uint8Array([...hex(prefix), ...bytes(raw)]);
      const ephemeral = async (secret, open) => ({
        privateKey: await crypto.subtle.importKey('pkcs8', pkcs8('302e020100300506032b656e04220420', secret), 'X25519', false, ['deriveBits']),
        publicKey: bytes(open),
      });
      const all = [];
      for (const { inputs, frames, rekey } of vectors) {
        const key = await a.peerKeyOf({
          privateKey: await crypto.subtle.importKey('pkcs8', pkcs8('302e020100300506032b657004220420', inputs.peer_private_key), 'Ed25519', false, ['sign']),
          publicKey: await crypto.subtle.importKey('raw', bytes(inputs.peer_public_key), 'Ed25519', true, ['verify']),
        });
        const peer = { peerId: inputs.peer_id, key };
        const secrets = { nonce: bytes(inputs.client_nonce), ephemeral: await ephemeral(inputs.client_ephemeral_private, frames.client_hello.ephemeral_key) };
        const keys = a.givenServerKeys({ [inputs.server_key_id]: inputs.server_public_key });
        const { auth, sessionId, generation } = await a.clientAuth(peer, secrets, inputs.client_time, frames.server_hello, keys);
        const { sealed_from_client: ours, sealed_from_server: theirs } = frames;
        const own = await ephemeral(rekey.client_ephemeral_private, rekey.client_ephemeral);
        const next = await a.nextGeneration(generation, own, bytes(rekey.server_ephemeral));
        all.push({
          hello: a.clientHello(peer, secrets, inputs.client_time),
          auth,
          sealed: await a.seal(generation.send, sessionId, 0, ours.plaintext, bytes(ours.nonce)),
          opened: await a.open(generation.receive, sessionId, theirs.frame),
          rekeyed: await a.seal(next.send, sessionId, 1, rekey.sealed_from_client.plaintext, bytes(rekey.sealed_from_client.nonce)),
          proof: await a.registrationProof(key, inputs.uid, ${JSON.stringify(vectors.map(({ registration }) => registration.time))}[all.length]),
          refused: await Promise.all(refused.map((bad) => a.agreedSecret(own, bytes(bad)).catch((error) => error.code))),
        });
      }
      return all;
    })()`);
    expect(seen).toEqual(
      vectors.map(({ frames, rekey, registration }) => ({
        hello: frames.client_hello,
        auth: frames.client_auth,
        sealed: frames.sealed_from_client.frame,
        opened: frames.sealed_from_server.plaintext,
        rekeyed: rekey.sealed_from_client.frame,
        proof: registration.proof,
        refused: x25519_keys_to_refuse.map(() => 'bad_key'),
      })),
    );
  });

  it('the outbox and the key survive the end of the page, and the key can’t be read', async () => {
    await arrive();
    const before = await page.evaluate(`(async () => {
      const storage = await autowatering.openBrowserStorage(indexedDB, 'kept');
      const key = await storage.peerKey();
      for (const number of [1, 2, 3]) {
        await storage.outbox.add({ stream: 'log', event: { event_id: 'e' + number, type: 'a', payload: number, sent_at: 1 } });
      }
      await storage.outbox.remove([2]);
      await storage.outbox.update([{ id: 3, stream: 'log', event: { event_id: 'e3', type: 'a', payload: 33, sent_at: 1 } }]);
      await storage.positions.save('log', { epoch: 'e', seq: 7 });
      return key.publicKey;
    })()`);
    await arrive();
    const after = await page.evaluate(`(async () => {
      const storage = await autowatering.openBrowserStorage(indexedDB, 'kept');
      const database = await new Promise((resolve) => { const opening = indexedDB.open('kept'); opening.onsuccess = () => resolve(opening.result); });
      const pair = await new Promise((resolve) => {
        const reading = database.transaction('values').objectStore('values').get('peer-key');
        reading.onsuccess = () => resolve(reading.result);
      });
      database.close();
      const found = {
        key: (await storage.peerKey()).publicKey,
        exported: await autowatering.exportPeerKey(pair).catch((error) => error.name),
        outbox: (await storage.outbox.all()).map(({ id, event }) => [id, event.payload]),
        position: await storage.positions.load('log'),
        none: (await storage.positions.load('other')) ?? null,
      };
      await storage.erase();
      return found;
    })()`);
    expect(after).toEqual({
      key: before,
      exported: 'InvalidAccessError',
      outbox: [
        [1, 1],
        [3, 33],
      ],
      position: { epoch: 'e', seq: 7 },
      none: null,
    });
  });

  it('the example joins, renames a zone, and shows what others do', async () => {
    const other = (await peerOf(relay, nodeSocket)).start({ url: served.url }).client;
    try {
      const seen = reading(other, 'zones');
      const token = `e30.${Buffer.from(JSON.stringify({ sub: 'uid-1' })).toString('base64url')}.x`;
      await page.goto(`${origin}/example#apiUrl=${encodeURIComponent(origin)}&idToken=${token}`);
      await page.getByRole('button', { name: 'Join' }).press('Enter');
      await page.getByText('online', { exact: true }).waitFor();
      await page.getByLabel('New name').fill('Lawn');
      await page.getByLabel('New name').press('Enter');
      await page.getByText('Published as #1.').waitFor();
      await vi.waitFor(() => expect(seen.payloads).toEqual([{ name: 'Lawn' }]));
      await other.publish('zones', { type: 'zone.renamed', key: 'zone-2', payload: { name: 'Meadow' } });
      await page.getByText('zone-2 is “Meadow”').waitFor();
      expect(served.tokens).toContain('made-by-assertion');
      // Again after a reload, without joining again.
      await page.reload();
      await page.getByText('online', { exact: true }).waitFor();
      await page.getByText('Lawn zone-1').waitFor();
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined) {
        await page.screenshot({ path: `${folder}/phone-light.png`, fullPage: true });
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.screenshot({ path: `${folder}/phone-dark.png`, fullPage: true });
      }
    } finally {
      other.close();
    }
  });
});
