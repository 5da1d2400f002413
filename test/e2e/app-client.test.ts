import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { portOf } from '../../tools/run/local-stack/process/ports.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { startBrowser } from '../support/browser.ts';
import { fleetOf } from '../support/fleet.ts';
import { newUser } from '../support/tokens.ts';

let backend: Backend;
let page: Server;
let origin: string;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: "export * from '@autowatering/app-client';", resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'autowatering',
    target: ['chrome100', 'safari15.4'],
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  page = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><title>An app</title><body>An app<script>${script}</script>`);
  });
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  origin = `http://localhost:${portOf(page)}`;
  backend = await startBackend({ ALLOWED_ORIGINS: origin });
});
afterAll(async () => {
  page.closeAllConnections();
  page.close();
  await backend.stop();
});

it('the app client works in a browser from another origin, with the errors and headers it needs', async () => {
  const { serial } = await fleetOf(backend).device();
  const [owner, stranger] = [newUser(), newUser()].map(({ headers }) => headers.Authorization.slice('Bearer '.length));
  const visitor = await startBrowser();
  try {
    expect(await visitor.open(origin)).toContain('An app');
    const [tab] = visitor.browser.contexts().flatMap((context) => context.pages());
    const seen = await tab?.evaluate(`(async () => {
      const clientOf = (token) => autowatering.createAppClient({
        baseUrl: ${JSON.stringify(backend.url)},
        getToken: async ({ refresh }) => (refresh ? token : 'expired'),
      });
      const claimed = await clientOf(${JSON.stringify(owner)}).claimDevice({ serial: ${JSON.stringify(serial)} });
      const refused = await clientOf(${JSON.stringify(stranger)})
        .claimDevice({ serial: ${JSON.stringify(serial)} })
        .catch((error) => error);
      const photo = await clientOf(${JSON.stringify(stranger)})
        .plantId({ image: new Blob(['no photo']) })
        .catch((error) => error);
      return {
        claimed: claimed.claimed,
        refused: [refused.name, refused.code, refused.requestId.length > 7],
        photo: [photo.kind, photo.code],
      };
    })()`);
    expect(seen).toEqual({
      claimed: true,
      refused: ['ApiError', 'already_claimed', true],
      photo: ['api', 'premium_required'],
    });
  } finally {
    await visitor.leave();
  }
});
