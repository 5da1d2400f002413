import { READING_KINDS, type WatchedSession } from '../evidence.ts';
import { READING_BYTES } from '../rows/reading-bytes.ts';
import type { ByteReader, ByteWriter } from './byte-stream.ts';
import type { Sample } from './chunk.ts';

const SECOND_MS = 1_000;
const SESSION_ENDS = ['completed', 'stopped', 'interrupted', 'lost_sight'] as const;
export const SESSION_ID_BYTES = 8;

/** Writes live samples, kind by kind, and their bytes by column. */
export function writeSamples(writer: ByteWriter, samples: readonly Sample[]): void {
  for (const kind of READING_KINDS) {
    const own = samples.filter((sample) => sample.kind === kind);
    writer.count(own.length);
    let [readAt, uptime, session] = [0, 0, 0];
    for (const sample of own) {
      const uptimeOrNone = sample.uptimeMs === null ? 0 : sample.uptimeMs + 1;
      writer.signed(sample.readAt - readAt);
      writer.signed(uptimeOrNone - uptime);
      writer.signed(sample.phoneSession - session);
      [readAt, uptime, session] = [sample.readAt, uptimeOrNone, sample.phoneSession];
    }
    for (let column = 0; column < READING_BYTES[kind]; column += 1) {
      let before = 0;
      for (const { bytes } of own) {
        const byte = bytes[column] ?? 0;
        writer.byte((byte - before) & 0xff);
        before = byte;
      }
    }
  }
}

export function readSamples(reader: ByteReader): Sample[] {
  return READING_KINDS.flatMap((kind) => {
    const length = reader.count();
    const width = READING_BYTES[kind];
    let [readAt, uptime, session] = [0, 0, 0];
    const samples = Array.from({ length }, (): Sample => {
      readAt += reader.signed();
      uptime += reader.signed();
      session += reader.signed();
      const uptimeMs = uptime === 0 ? null : uptime - 1;
      return { kind, readAt, uptimeMs, phoneSession: session, bytes: new Uint8Array(width) };
    });
    for (let column = 0; column < width; column += 1) {
      let before = 0;
      for (const { bytes } of samples) {
        before = (before + reader.byte()) & 0xff;
        bytes[column] = before;
      }
    }
    return samples;
  });
}

/** Writes watched sessions. Their times are whole seconds. */
export function writeSessions(writer: ByteWriter, sessions: readonly WatchedSession[]): void {
  writer.count(sessions.length);
  for (const { sessionId } of sessions) writer.raw(Buffer.from(sessionId, 'base64url'));
  for (const { channel } of sessions) writer.count(channel);
  for (const { sawStart, ended } of sessions) writer.count(SESSION_ENDS.indexOf(ended) * 2 + Number(sawStart));
  let before = 0;
  for (const { startedAt } of sessions) {
    writer.signed((startedAt - before) / SECOND_MS);
    before = startedAt;
  }
  for (const { startedAt, endedAt } of sessions) writer.signed((endedAt - startedAt) / SECOND_MS);
  for (const { millilitres } of sessions) writer.count(millilitres === null ? 0 : millilitres + 1);
}

export function readSessions(reader: ByteReader): WatchedSession[] {
  const length = reader.count();
  const all = <T>(read: () => T): T[] => Array.from({ length }, read);
  const ids = all(() => Buffer.from(reader.raw(SESSION_ID_BYTES)).toString('base64url'));
  const channels = all(() => reader.count());
  const ways = all(() => reader.count());
  let before = 0;
  const starts = all(() => {
    before += reader.signed() * SECOND_MS;
    return before;
  });
  const lengths = all(() => reader.signed() * SECOND_MS);
  const volumes = all(() => reader.count());
  return ids.map((sessionId, index) => {
    const [channel = 0, way = 0, startedAt = 0, length = 0, volume = 0] = [
      channels[index],
      ways[index],
      starts[index],
      lengths[index],
      volumes[index],
    ];
    const ended = SESSION_ENDS[Math.floor(way / 2)];
    if (ended === undefined) throw new RangeError('a session ended in an unknown way');
    const endedAt = startedAt + length;
    const millilitres = volume === 0 ? null : volume - 1;
    return { sessionId, channel, startedAt, sawStart: way % 2 === 1, endedAt, ended, millilitres };
  });
}
