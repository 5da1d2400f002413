import { HistoryFragmentHeader } from './structures/history.ts';

export interface HistoryAnswer {
  readonly dataType: number;
  /** 0, or the device's error code (device sheet, §2.3 and §2.4). */
  readonly status: number;
  /** Records in the whole answer; on `de16`, in its last part. */
  readonly entryCount: number;
  readonly body: Uint8Array;
}

export type FragmentOutcome =
  | { readonly kind: 'more'; readonly received: number; readonly total: number }
  | { readonly kind: 'complete'; readonly answer: HistoryAnswer }
  /** A part that is not one, or of another answer: the transfer has to be asked for again. */
  | { readonly kind: 'broken'; readonly reason: string };

export interface FragmentReader {
  add(part: Uint8Array): FragmentOutcome;
}

/** Puts the parts of one answer together; parts may come twice or out of order. Entries may straddle parts. */
export function createFragmentReader(): FragmentReader {
  const parts = new Map<number, Uint8Array>();
  let first: { readonly data_type: number; readonly total_fragments: number } | undefined;
  return {
    add(part) {
      const header = HistoryFragmentHeader.read(part.subarray(0, HistoryFragmentHeader.bytes));
      if (header === undefined) return { kind: 'broken', reason: 'shorter than its header' };
      const body = part.slice(HistoryFragmentHeader.bytes);
      if (body.byteLength !== header.fragment_size)
        return { kind: 'broken', reason: 'another size than its header says' };
      if (header.status !== 0 || header.data_type >= 0xfe) {
        return { kind: 'complete', answer: answerOf(header, body) };
      }
      if (
        first !== undefined &&
        (first.data_type !== header.data_type || first.total_fragments !== header.total_fragments)
      ) {
        return { kind: 'broken', reason: 'a part of another answer' };
      }
      if (header.fragment_index >= header.total_fragments) return { kind: 'broken', reason: 'a part beyond the last' };
      first ??= header;
      parts.set(header.fragment_index, body);
      if (parts.size < header.total_fragments) {
        return { kind: 'more', received: parts.size, total: header.total_fragments };
      }
      const inOrder = Array.from(
        { length: header.total_fragments },
        (_, index) => parts.get(index) ?? new Uint8Array(),
      );
      return { kind: 'complete', answer: answerOf(header, concat(inOrder)) };
    },
  };
}

/** Cuts an answer as the firmware does: at most 232 bytes a part, or what the link carries. */
export function fragmentsOf(answer: HistoryAnswer, mtu: number): readonly Uint8Array[] {
  const size = Math.min(232, mtu - 11);
  if (size < 1) throw new RangeError(`an MTU of ${mtu} carries no part`);
  const total = Math.max(1, Math.ceil(answer.body.byteLength / size));
  if (total > 255) throw new RangeError(`${answer.body.byteLength} bytes need more than 255 parts`);
  return Array.from({ length: total }, (_, index) => {
    const body = answer.body.subarray(index * size, (index + 1) * size);
    const header = HistoryFragmentHeader.write({
      data_type: answer.dataType,
      status: answer.status,
      entry_count: answer.entryCount,
      fragment_index: index,
      total_fragments: total,
      fragment_size: body.byteLength,
      reserved: 0,
    });
    return concat([header, body]);
  });
}

function answerOf(
  header: { readonly data_type: number; readonly status: number; readonly entry_count: number },
  body: Uint8Array,
): HistoryAnswer {
  return { dataType: header.data_type, status: header.status, entryCount: header.entry_count, body };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
