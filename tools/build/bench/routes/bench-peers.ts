import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { registrationText } from '@autowatering/relay-protocol';
import pMap from 'p-map';
import * as z from 'zod';
import { gatewayEvent } from '../peer/gateway-event.ts';
import type { HandlerProcess } from '../peer/handler-process.ts';
import type { Person } from './bench-world.ts';

/** A registered phone. */
export interface BenchPeer {
  readonly peerId: string;
  readonly privateKey: KeyObject;
  /** Its owner, by Cognito's token. */
  readonly owner: Person;
  /** The same address, with the peer's own token. */
  readonly own: Person;
}

const AT_ONCE = 8;
const TOKEN_URL = 'https://api.example.com/relay/token';
/** With an event each, so that they exist. */
const STREAMS = ['kept', 'deleted'] as const;
const Registered = z.object({ peer: z.object({ peer_id: z.string() }) });
const Granted = z.object({ access_token: z.string() });
const Claims = z.object({ sub: z.string() });

/** A new key, and the body that registers it for a person. */
export function registration({ headers }: Person) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const [, payload = ''] = (headers['Authorization'] ?? '').split('.');
  const { sub } = Claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  const time = Date.now();
  const proof = sign(null, registrationText(sub, raw, time), privateKey).toString('base64url');
  const name = `Phone ${randomUUID().slice(0, 8)}`;
  return { privateKey, body: { name, type: 'phone', public_key: raw.toString('base64url'), time, proof } };
}

/** The form that asks for tokens; each is good once. */
export function tokenForm({ peerId, privateKey }: Pick<BenchPeer, 'peerId' | 'privateKey'>) {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 240;
  const text = `${part({ alg: 'EdDSA' })}.${part({ iss: peerId, sub: peerId, aud: TOKEN_URL, exp, jti: randomUUID() })}`;
  const assertion = `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  return form({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
}

export function form(fields: Readonly<Record<string, string>>) {
  const bytes = Buffer.from(new URLSearchParams(fields).toString());
  return { contentType: 'application/x-www-form-urlencoded', bytes };
}

/** @param clientSeq of the publish's only event */
export function publishBody(clientSeq: number) {
  const event = { event_id: `bench-${clientSeq}`, type: 'zone.changed', payload: { minutes: 5 }, sent_at: Date.now() };
  return { client_seq: clientSeq, events: [event] };
}

/** Registers a phone for each person, with tokens and a few events. */
export async function createPeers(handler: HandlerProcess, people: readonly Person[]): Promise<readonly BenchPeer[]> {
  return pMap(
    people,
    async (owner) => {
      const post = async (path: string, by: Person, sent: object) => {
        const answer = await handler.call(gatewayEvent({ method: 'POST', path, ...by, ...sent }));
        if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${answer.body}`);
        return JSON.parse(answer.body);
      };
      const { privateKey, body } = registration(owner);
      const { peer_id: peerId } = Registered.parse(await post('/relay/peers', owner, { body })).peer;
      const anonymous = { headers: {}, address: owner.address };
      const { access_token: token } = Granted.parse(
        await post('/relay/token', anonymous, { raw: tokenForm({ peerId, privateKey }) }),
      );
      const own = { headers: { Authorization: `Bearer ${token}` }, address: owner.address };
      for (const stream of STREAMS) await post(`/relay/streams/${stream}/events`, own, { body: publishBody(1) });
      return { peerId, privateKey, owner, own };
    },
    { concurrency: AT_ONCE },
  );
}
