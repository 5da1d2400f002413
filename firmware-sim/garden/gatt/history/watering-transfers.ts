import { CHANNELS, fragmentsOf, HistoryQuery } from '@autowatering/device-data';
import type { Firmware } from '../../firmware/firmware.ts';
import { ATT, AttError } from '../att-error.ts';
import { allowed, parsed } from '../checks.ts';
import type { PartSender } from './part-sender.ts';

const MOST_ROWS = 50;
const PAGE = 30;
const TOO_FAST_MS = 100;
const CLEANUP = 0xff;
const RATE_LIMITED = { dataType: 0xfe, status: 7, entryCount: 0, body: new Uint8Array() };

/** `defc`: pushes what was asked for, part by part. Times are echoed and never applied; channel 255 means channel 0. */
export class WateringTransfers {
  readonly #firmware: Firmware;
  readonly #sender: PartSender;
  #last: { readonly what: string; readonly at: number } | undefined;

  constructor(firmware: Firmware, sender: PartSender) {
    this.#firmware = firmware;
    this.#sender = sender;
  }

  /** @throws AttError 0x10 while another answer is being sent */
  ask(bytes: Uint8Array, mtu: number): void {
    const query = parsed(HistoryQuery, bytes);
    const { history_type: type, channel_id: asked } = query;
    allowed(type <= 3 || type === CLEANUP, `history ${type}`);
    allowed(asked < CHANNELS || asked === 0xff, `channel ${asked}`);
    if (this.#sender.isBusy) throw new AttError(ATT.busy, 'an answer is being sent');
    const { history, clock, agenda } = this.#firmware;
    if (type === CLEANUP) {
      history.cleanUp(clock.epochS(agenda.now));
      this.#send(type, [], query, mtu);
      return;
    }
    const channel = asked === 0xff ? 0 : asked;
    const what = `${channel} ${type}`;
    const isTooFast = this.#last !== undefined && this.#last.what !== what && agenda.now - this.#last.at < TOO_FAST_MS;
    this.#last = { what, at: agenda.now };
    if (isTooFast) this.#sender.send(fragmentsOf(RATE_LIMITED, mtu));
    else this.#send(type, type === 0 ? this.#page(channel, query.entry_index, query.count) : [], query, mtu);
  }

  /** Pages are as long as the ring: all but the first are empty. The count takes from the old end. */
  #page(channel: number, index: number, count: number): readonly Uint8Array[] {
    const from = index * PAGE;
    const most = Math.min(MOST_ROWS, Math.max(1, count));
    return this.#firmware.history.rows(channel).slice(from, from + Math.min(PAGE, most));
  }

  #send(type: number, rows: readonly Uint8Array[], query: Parameters<typeof HistoryQuery.write>[0], mtu: number): void {
    const echo = HistoryQuery.write({ ...query, count: rows.length });
    const body = rows.length === 0 ? new Uint8Array() : new Uint8Array(Buffer.concat([echo, ...rows]));
    this.#sender.send(fragmentsOf({ dataType: type, status: 0, entryCount: rows.length, body }, mtu));
  }
}
