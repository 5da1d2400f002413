import {
  EnvironmentDaily,
  EnvironmentDetailed,
  EnvironmentHistoryRequest,
  EnvironmentHourly,
  EnvironmentTrend,
  HistoryFragmentHeader,
  type Read,
} from '@autowatering/device-data';
import type { Firmware } from '../../firmware/firmware.ts';
import { dateNumber } from '../../firmware/weather/day-of-air.ts';
import type { AskedRows } from '../../firmware/weather/environment-station.ts';
import { ATT, AttError } from '../att-error.ts';

const COMMAND = { detailed: 1, hourly: 2, daily: 3, trend: 4, erase: 5 };
const STATUS = { ok: 0, command: 1, range: 2, no_data: 3, part: 6, too_fast: 7, mtu: 8 };
const TOO_FAST_MS = 50;
const MOST_RECORDS = 100;
const MOST_PART_BYTES = 232;
const OVERHEAD = 11;

type Request = Read<typeof EnvironmentHistoryRequest>;

/** `de16`: a phone pulls one part after the other, at least 50 ms apart. Parts hold whole records. */
export class EnvironmentPulls {
  readonly #firmware: Firmware;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** What a read returns. */
  latest: Uint8Array = new Uint8Array(HistoryFragmentHeader.bytes);

  constructor(firmware: Firmware) {
    this.#firmware = firmware;
  }

  /** @returns the part that was asked for */
  ask(bytes: Uint8Array, mtu: number): Uint8Array {
    if (![12, 19, 20].includes(bytes.byteLength)) throw new AttError(ATT.invalid_length, 'not a request');
    const whole = new Uint8Array(EnvironmentHistoryRequest.bytes);
    whole.set(bytes);
    const request = EnvironmentHistoryRequest.read(whole);
    if (request === undefined) throw new AttError(ATT.invalid_length, 'not a request');
    this.latest = this.#answer(request, mtu);
    return this.latest;
  }

  #answer(request: Request, mtu: number): Uint8Array {
    const { now } = this.#firmware.agenda;
    const isTooFast = now - this.#lastAt < TOO_FAST_MS;
    this.#lastAt = now;
    if (isTooFast) return part(request, STATUS.too_fast);
    const { command, start_epoch: start, end_epoch: end } = request;
    if (command === COMMAND.erase) {
      this.#firmware.environment.erase();
      return part(request, STATUS.ok);
    }
    if (end !== 0 && start > end) return part(request, STATUS.range);
    const records = this.#records(request);
    if (records === undefined) return part(request, STATUS.command);
    if (records.length === 0) return part(request, STATUS.no_data);
    const perPart = Math.floor(Math.min(MOST_PART_BYTES, mtu - OVERHEAD) / records.bytes);
    if (perPart < 1) return part(request, STATUS.mtu);
    const total = Math.ceil(records.length / perPart);
    if (request.fragment_id >= total) return part(request, STATUS.part, total);
    const at = request.fragment_id * perPart;
    return part(request, STATUS.ok, total, records.slice(at, Math.min(records.length, at + perPart)));
  }

  #records(request: Request): Records | undefined {
    const { command, start_epoch: start, end_epoch: end, max_records: max } = request;
    const most = max === 0 ? MOST_RECORDS : Math.min(MOST_RECORDS, max);
    const { environment, clock, agenda } = this.#firmware;
    const last = end === 0 ? undefined : end;
    const hours = (atMost?: number) => environment.hourly(start, last, atMost);
    switch (command) {
      case COMMAND.detailed:
        return recordsOf(hours(most), EnvironmentDetailed.bytes, detailed);
      case COMMAND.hourly:
        return recordsOf(hours(most), EnvironmentHourly.bytes);
      case COMMAND.daily: {
        const offsetMs = clock.offsetMinutes(agenda.now) * 60_000;
        const dateOf = (epochS: number) => dateNumber(epochS * 1000 + offsetMs);
        const [first, until] = [start === 0 ? 0 : dateOf(start), last && dateOf(last)];
        return recordsOf(environment.daily(first, until, most), EnvironmentDaily.bytes);
      }
      case COMMAND.trend:
        return recordsOf(trend(hours()), EnvironmentTrend.bytes);
      default:
        return undefined;
    }
  }
}

/** What is sent, each so many bytes. */
interface Records extends AskedRows {
  readonly bytes: number;
}

function recordsOf(rows: AskedRows, bytes: number, shown?: (row: Uint8Array) => Uint8Array): Records {
  return {
    ...{ length: rows.length, bytes },
    slice(first, last) {
      const own = rows.slice(first, last);
      return shown === undefined ? own : own.map(shown);
    },
  };
}

function part(request: Request, status: number, total = 1, records: readonly Uint8Array[] = []): Uint8Array {
  const size = records.reduce((sum, record) => sum + record.byteLength, 0);
  const bytes = new Uint8Array(HistoryFragmentHeader.bytes + size);
  const header = HistoryFragmentHeader.write({
    data_type: request.data_type,
    status,
    entry_count: records.length,
    fragment_index: request.fragment_id,
    total_fragments: total,
    fragment_size: size,
    reserved: 0,
  });
  bytes.set(header);
  let at = header.byteLength;
  for (const record of records) {
    bytes.set(record, at);
    at += record.byteLength;
  }
  return bytes;
}

function detailed(row: Uint8Array): Uint8Array {
  const { epoch, t_avg_x100, h_avg_x100, p_avg_pa } = hourOf(row);
  return EnvironmentDetailed.write({
    ...{ epoch, temp_x100: t_avg_x100, humidity_x100: h_avg_x100, pressure_pa: p_avg_pa },
  });
}

function hourOf(row: Uint8Array): Read<typeof EnvironmentHourly> {
  const hour = EnvironmentHourly.read(row);
  if (hour === undefined) throw new RangeError(`an hour has ${EnvironmentHourly.bytes} bytes, not ${row.byteLength}`);
  return hour;
}

/** One record about all hours of the range. */
function trend(rows: AskedRows): AskedRows {
  const hours = rows.slice(0, rows.length).map(hourOf);
  const [first, last] = [hours[0], hours.at(-1)];
  if (first === undefined || last === undefined) return [];
  const [dt, dh] = [last.t_avg_x100 - first.t_avg_x100, last.h_avg_x100 - first.h_avg_x100];
  const dp = last.p_avg_pa - first.p_avg_pa;
  const span = Math.max(1, (last.epoch - first.epoch) / 3600);
  const all = (of: (hour: Read<typeof EnvironmentHourly>) => number) => hours.map(of);
  return [
    EnvironmentTrend.write({
      ...{ dt_x100: dt, dh_x100: dh, dp_pa: dp },
      tmin_x100: Math.min(...all((hour) => hour.t_avg_x100)),
      tmax_x100: Math.max(...all((hour) => hour.t_avg_x100)),
      hmin_x100: Math.min(...all((hour) => hour.h_avg_x100)),
      hmax_x100: Math.max(...all((hour) => hour.h_avg_x100)),
      ...{ t_slope_x100_per_h: Math.round(dt / span), h_slope_x100_per_h: Math.round(dh / span) },
      ...{ p_slope_pa_per_h: Math.round(dp / span), samples: hours.length },
    }),
  ];
}
