import * as z from 'zod';

/** What the QR code on a hub says. */
export interface HubLabel {
  /** Base64url of 32 bytes. */
  readonly publicKey: string;
}

const SCHEME = 'autowatering-hub:';

export function hubLabelText({ publicKey }: HubLabel): string {
  return `${SCHEME}?key=${publicKey}`;
}

/** Undefined for the QR code of something else. */
export function parseHubLabel(text: string): HubLabel | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const publicKey = url?.protocol === SCHEME ? url.searchParams.get('key') : null;
  return publicKey != null && /^[\w-]{43}$/.test(publicKey) ? { publicKey } : undefined;
}

/** What a hub offers to a phone beside it, over BLE or the local network. */
export interface HubSide {
  /** Of its QR code. */
  readonly label: string;
  /** @throws PairingError when the hub belongs to somebody already */
  proof(uid: string, time: number): Promise<string>;
  adopt(peer: { readonly peerId: string; readonly apiUrl: string; readonly relayUrl: string }): Promise<void>;
}

export class PairingError extends Error {
  override readonly name = 'PairingError';
}

const Claims = z.object({ sub: z.string() });
const Answer = z.object({
  peer: z.object({ peer_id: z.string(), public_key: z.string() }),
  relay_url: z.string().nullable(),
});

export interface RegisterHubOptions {
  readonly apiUrl: string;
  /** The user's, from Cognito. */
  readonly idToken: string;
  readonly name: string;
  readonly hub: HubSide;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/**
 * The phone's part in setting a hub up: reads its QR code, gets the proof from it, registers it in the user's account and
 * tells it so. The hub never sees a credential of the user. Repeating it does no harm.
 *
 * @returns the hub's peer id
 * @throws PairingError
 */
export async function registerHub(options: RegisterHubOptions): Promise<string> {
  const { apiUrl, idToken, name, hub, now = Date.now, fetch: send = fetch, signal } = options;
  const label = parseHubLabel(hub.label);
  if (label === undefined) throw new PairingError('this is not the QR code of a hub');
  const { sub: uid } = Claims.parse(JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8')));
  const time = now();
  const response = await send(new URL('/relay/peers', apiUrl), {
    method: 'POST',
    headers: { Authorization: `Bearer ${idToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      ...{ name, type: 'hub', public_key: label.publicKey, time },
      proof: await hub.proof(uid, time),
    }),
    ...(signal && { signal }),
  });
  const text = await response.text();
  if (!response.ok) throw new PairingError(`registering answered ${response.status}: ${text.slice(0, 200)}`);
  const { peer, relay_url: relayUrl } = Answer.parse(JSON.parse(text));
  if (relayUrl === null) throw new PairingError('this backend has no relay');
  await hub.adopt({ peerId: peer.peer_id, apiUrl, relayUrl });
  return peer.peer_id;
}
