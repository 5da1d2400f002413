import { fragmentsOf, RainHistoryCommand, RainRecent } from '@autowatering/device-data';
import type { Firmware } from '../../firmware/firmware.ts';
import { RAIN_DAYS, RAIN_HOURS, type RainStation } from '../../firmware/weather/rain-station.ts';
import { parsed } from '../checks.ts';
import type { PartSender } from './part-sender.ts';

const COMMAND = { hourly: 1, daily: 2, recent: 3, erase: 0x10, reset: 0x20 };
const ERROR = 0xff;
/** `status` of an answer of type 0xFF. */
const STATUS = { busy: 1, mtu: 3, memory: 5, parts: 7, arguments: 0xfe, command: 0xff };
/** The heap holds rows twice: as they are stored and as they are sent. */
const HEAP_BYTES = 16 * 1024;
const SMALLEST_MTU = 12;
const MOST_PARTS = 255;
const DAY_S = 24 * 60 * 60;

/** `de14`: rain by hour and day, filtered by time, pushed part by part. */
export class RainTransfers {
  readonly #firmware: Firmware;
  readonly #sender: PartSender;

  constructor(firmware: Firmware, sender: PartSender) {
    this.#firmware = firmware;
    this.#sender = sender;
  }

  ask(bytes: Uint8Array, mtu: number): void {
    const { command, start_epoch: start, end_epoch: end, max_entries: max } = parsed(RainHistoryCommand, bytes);
    if (this.#sender.isBusy) {
      this.#sender.abort();
      this.#answer(ERROR, STATUS.busy, mtu);
      return;
    }
    const { rain } = this.#firmware;
    switch (command) {
      case COMMAND.hourly:
        this.#rows(0, rain.hourly, [start, end], max === 0 ? RAIN_HOURS : max, mtu);
        return;
      case COMMAND.daily:
        this.#rows(1, rain.daily, [start, end], max === 0 ? RAIN_DAYS : max, mtu);
        return;
      case COMMAND.recent:
        this.#recent(mtu);
        return;
      case COMMAND.erase:
        rain.hourly.clear();
        rain.daily.clear();
        this.#answer(0xfd, 0, mtu);
        return;
      case COMMAND.reset:
        rain.restart();
        this.#answer(0xfc, 0, mtu);
        return;
      default:
        this.#answer(ERROR, STATUS.command, mtu);
    }
  }

  #rows(
    type: number,
    ring: RainStation['hourly'] | RainStation['daily'],
    [start, end]: readonly [number, number],
    max: number,
    mtu: number,
  ): void {
    if (end !== 0 && start > end) {
      this.#answer(ERROR, STATUS.arguments, mtu);
      return;
    }
    const rows: Uint8Array[] = [];
    for (let index = ring.firstSince(start); index < ring.length && rows.length < max; index += 1) {
      const epoch = ring.epochAt(index);
      if (epoch >= start && (end === 0 || epoch <= end)) rows.push(ring.at(index));
    }
    const body = new Uint8Array(Buffer.concat(rows));
    if (2 * body.byteLength > HEAP_BYTES) this.#answer(ERROR, STATUS.memory, mtu);
    else if (mtu < SMALLEST_MTU) this.#answer(ERROR, STATUS.mtu, SMALLEST_MTU);
    else if (body.byteLength > MOST_PARTS * Math.min(232, mtu - 11)) this.#answer(ERROR, STATUS.parts, mtu);
    else this.#sender.send(fragmentsOf({ dataType: type, status: 0, entryCount: rows.length, body }, mtu));
  }

  #recent(mtu: number): void {
    const { rain } = this.#firmware;
    const body = RainRecent.write({
      ...{ last_hour_x100: rain.hourX100, last_24h_x100: rain.sumX100(DAY_S), last_7d_x100: rain.sumX100(7 * DAY_S) },
      zero: 0,
    });
    this.#sender.send(fragmentsOf({ dataType: 0xfe, status: 0, entryCount: 1, body }, mtu));
  }

  #answer(dataType: number, status: number, mtu: number): void {
    this.#sender.send(fragmentsOf({ dataType, status, entryCount: 0, body: new Uint8Array() }, mtu));
  }
}
