import { randomUUID } from 'node:crypto';
import { CurrentTask, TaskQueue } from '@autowatering/device-data';
import type { Answer, Backend } from './backend.ts';
import { deviceBytes } from './device-bytes.ts';
import { fleetOf } from './fleet.ts';
import { clockBytes, startRow } from './garden-rows.ts';
import { peersOf } from './peers.ts';
import { newUser } from './tokens.ts';

const NO_CHANNEL = 0xff;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** What the device shows: a task, or none. */
export function taskSeen(channel: number | undefined, amount: { minutes?: number; litres?: number } = {}, status = 1) {
  const bytes = deviceBytes(CurrentTask, {
    ...{ channel_id: channel ?? NO_CHANNEL, start_uptime_s: 100, mode: amount.litres === undefined ? 0 : 1 },
    target: amount.litres === undefined ? (amount.minutes ?? 0) * 60 : amount.litres * 1000,
    status: channel === undefined ? 0 : status,
  });
  return { characteristic: 'deff', bytes: text(bytes) };
}

export function queueSeen(pending: number) {
  return { characteristic: 'def7', bytes: text(deviceBytes(TaskQueue, { pending })) };
}

export const idleSeen = [taskSeen(undefined), queueSeen(0)];

/** A row of the history: a run of so many minutes began, by hand. */
export function startRowSeen(channel: number, minutes: number, at: number) {
  return { characteristic: 'defc', bytes: text(startRow(at, channel, minutes)) };
}

/** The device's clock, in UTC. */
export function clockSeen(at: number) {
  return { characteristic: 'def9', bytes: text(clockBytes(at)) };
}

/** An owner with a device, a hub beside it, and what each of them can do. */
export async function commandGarden(backend: Backend) {
  const owner = newUser();
  const fleet = fleetOf(backend);
  const peers = peersOf(backend);
  const { serial, hw_id: hwId } = await fleet.device();
  const claimed = await backend.call('/claimDevice', { headers: owner.headers, body: { serial } });
  if (claimed.status !== 200) throw new Error(`claiming: ${JSON.stringify(claimed.body)}`);
  const path = `/devices/${serial}/commands`;

  const carrier = async (type = 'hub') => {
    const peer = await peers.peer(owner, { type });
    const { headers } = await peers.tokens(peer);
    const post = (where: string, body: object): Promise<Answer> => backend.call(where, { headers, body });
    return {
      ...{ headers, peerId: peer.peerId },
      offers: async () => (await post('/commands/offers', { serials: [serial] })).body.devices[0],
      lease: (commandId: string, attempt = 'the-only-try') =>
        post(`${path}/${commandId}/lease`, { attempt_id: attempt }),
      report: (commandId: string, fence: number, outcome: string, more: object = {}) =>
        post(`${path}/${commandId}/report`, { fence, outcome, ...more }),
    };
  };

  return {
    ...{ owner, serial, hwId, path, carrier },
    give: (intent: object, more: object = {}): Promise<Answer> =>
      backend.call(path, { headers: owner.headers, body: { command_key: randomUUID(), intent, ...more } }),
    async given(intent: object, more: object = {}): Promise<string> {
      const { status, body } = await this.give(intent, more);
      if (status !== 201) throw new Error(`giving: ${JSON.stringify(body)}`);
      return body.command.command_id;
    },
    read: async (commandId: string) => (await backend.call(`${path}/${commandId}`, { headers: owner.headers })).body,
    list: async (query = '') => (await backend.call(`${path}${query}`, { headers: owner.headers })).body,
    cancel: (commandId: string) => backend.call(`${path}/${commandId}/cancel`, { headers: owner.headers, body: {} }),
    /** The announcements so far, oldest first. */
    async announced(): Promise<readonly { readonly state: string; readonly command_id: string }[]> {
      const { body } = await backend.call('/relay/streams/commands/events', { headers: owner.headers });
      return (body.events ?? []).map(({ payload }: { payload: unknown }) => payload);
    },
    inbox: async () => (await backend.scan('garden')).filter((item) => String(item['partition']).includes(owner.uid)),
  };
}
