import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

/*
 * Values sent by people and machines must not appear in a log: no token, e-mail address, claim code, secret or image
 * byte. Each such value carries a marker here and is sent through every route in every place it could occur. Then the
 * logs are searched for the marker.
 */

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const MARK = `mark-${randomUUID()}`;
const EMAIL = `${MARK}@example.com`;
const IMAGE = Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), Buffer.from(MARK.repeat(50))]);

/** Fields of every kind of body, each with a value that must not be logged. */
const BODY = {
  ...{ email: EMAIL, display_name: MARK, displayName: MARK, name: MARK, message: MARK, question: MARK, reason: MARK },
  ...{ claim_code: MARK, transfer_code: MARK, proof: { nonce: MARK, signature: MARK }, password: MARK, token: MARK },
  ...{ image: IMAGE.toString('base64'), public_key: MARK, privateKey: MARK, receipt: { nonce: MARK, signature: MARK } },
  ...{ profile: { displayName: MARK, email: EMAIL }, state: { secret: MARK }, metadata: { note: MARK } },
  ...{
    serial: '000001',
    hw_id: 'AABBCCDD0011',
    version: '1.0.0',
    attempt_id: 'a-1',
    status: 'offered',
    baseDocVersion: 0,
  },
};

/** Everything that was logged, including the causes of errors, as text. */
function logged(): string {
  const lines = backend.log.lines.map(({ level, message, fields, error }) =>
    inspect({ level, message, fields, error }, { depth: 20, maxStringLength: null, maxArrayLength: null }),
  );
  return [...lines, ...backend.metrics.counted, ...backend.metrics.measured].join('\n');
}

/** A valid token of the user, and several invalid ones. */
const credentials = (token: string) => [
  { Authorization: `Bearer ${token}` },
  { Authorization: `Bearer ${MARK}.${MARK}.${MARK}` },
  { 'x-admin-token': `${MARK}-admin`, 'x-factory-token': `${MARK}-factory` },
  { 'x-admin-token': backend.secrets.adminToken, 'x-factory-token': backend.secrets.factoryToken },
  { 'stripe-signature': `t=1,v1=${MARK}` },
];

it('no log line of any route contains a sensitive value', async () => {
  const { headers } = newUser({ email: EMAIL });
  const token = headers.Authorization.slice('Bearer '.length);
  const made = await fleetOf(backend).device();
  const attempts = routeContracts().flatMap((route) => {
    const path = `${route.path.replaceAll(/\{[^}]+\}/g, MARK)}?code=${MARK}&email=${encodeURIComponent(EMAIL)}`;
    return credentials(token).map((sent) => ({ route, path, sent }));
  });
  await pMap(
    attempts,
    async ({ route, path, sent }) => {
      if (route.method === 'GET') {
        await backend.call(path, { headers: sent });
        return;
      }
      await backend.call(path, { headers: sent, body: { ...BODY, serial: made.serial } });
      const form = new FormData();
      form.set('image', new Blob([IMAGE], { type: 'image/jpeg' }), `${MARK}.jpg`);
      form.set('note', MARK);
      await fetch(`${backend.url}${path}`, { method: route.method, headers: sent, body: form });
      await fetch(`${backend.url}${path}`, {
        method: route.method,
        headers: { ...sent, 'Content-Type': 'application/json' },
        body: `{"broken": "${MARK}`,
      });
    },
    { concurrency: 8 },
  );
  // What can be claimed is claimed with its real code, after a wrong one.
  const { claim_code: code } = made;
  await backend.call('/claimDevice', { headers, body: { serial: made.serial, claim_code: '00000-00000' } });
  await backend.call('/claimDevice', { headers, body: { serial: made.serial, claim_code: code } });

  const all = logged();
  expect(backend.log.lines.length).toBeGreaterThan(attempts.length);
  const { adminToken, factoryToken, stripeSecretKey, webhookSecret } = { webhookSecret: undefined, ...backend.secrets };
  const secrets = {
    MARK,
    token,
    signature: token.split('.')[2],
    code,
    adminToken,
    factoryToken,
    stripeSecretKey,
    webhookSecret,
  };
  for (const [name, value] of Object.entries(secrets)) {
    if (value === undefined) continue;
    const at = all.indexOf(value);
    expect(at === -1 ? undefined : all.slice(Math.max(0, at - 300), at + 100), name).toBeUndefined();
  }
}, 120_000);
