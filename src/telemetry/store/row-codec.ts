import type { Row, RowKind } from '../evidence.ts';
import { type Column, dateNumber, ROW_LAYOUTS, type RowLayout } from '../rows/row-layout.ts';
import type { ByteReader, ByteWriter } from './byte-stream.ts';

const SECOND_MS = 1_000;

/**
 * Writes rows of one kind by column, each value as its difference from the expected one. What is as expected becomes
 * zeros, which deflate to nothing.
 */
export function writeRows(writer: ByteWriter, kind: RowKind, isClockLost: boolean, rows: readonly Row[]): void {
  const layout = ROW_LAYOUTS[kind];
  writer.count(rows.length);
  let [lastAt, lastReadAt] = [0, 0];
  if (!isClockLost) {
    for (const { at } of rows) {
      writer.signed((at - lastAt) / layout.stepMs);
      lastAt = at;
    }
  }
  for (const { readAt } of rows) {
    writer.signed((readAt - lastReadAt) / SECOND_MS);
    lastReadAt = readAt;
  }
  const bytes = new Uint8Array(rows.length * layout.bytes);
  for (const [index, row] of rows.entries()) bytes.set(row.bytes, index * layout.bytes);
  const table = tableOf(bytes, layout, isClockLost, (index) => rows[index]?.at ?? 0);
  for (const column of layout.columns) {
    for (let row = 0; row < rows.length; row += 1) {
      writer.signed(wrapped(column.bytes, table.value(row, column) - table.expected(row, column)));
    }
  }
}

/** Reads what `writeRows` wrote. */
export function readRows(reader: ByteReader, kind: RowKind, isClockLost: boolean): Row[] {
  const layout = ROW_LAYOUTS[kind];
  const length = reader.count();
  const ats = isClockLost ? undefined : sums(reader, length, layout.stepMs);
  const readAts = sums(reader, length, SECOND_MS);
  const atOf = (row: number) => (ats ?? readAts)[row] ?? 0;
  const bytes = new Uint8Array(length * layout.bytes);
  const table = tableOf(bytes, layout, isClockLost, atOf);
  for (const column of layout.columns) {
    for (let row = 0; row < length; row += 1) table.set(row, column, table.expected(row, column) + reader.signed());
  }
  return readAts.map((readAt, row) => ({
    kind,
    at: atOf(row),
    isClockLost,
    readAt,
    bytes: bytes.subarray(row * layout.bytes, (row + 1) * layout.bytes),
  }));
}

function sums(reader: ByteReader, length: number, unitMs: number): number[] {
  let sum = 0;
  return Array.from({ length }, () => {
    sum += reader.signed() * unitMs;
    return sum;
  });
}

/** Rows one after the other, seen as a table. */
function tableOf(bytes: Uint8Array, layout: RowLayout, isClockLost: boolean, atOf: (row: number) => number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = (row: number, { at, bytes: width }: Column): number => {
    const place = row * layout.bytes + at;
    if (width === 1) return view.getUint8(place);
    return width === 2 ? view.getUint16(place, true) : view.getUint32(place, true);
  };
  const before = (row: number, column: Column) => (row === 0 ? 0 : value(row - 1, column));
  return {
    value,
    set(row: number, { at, bytes: width }: Column, number: number): void {
      const place = row * layout.bytes + at;
      if (width === 1) view.setUint8(place, number);
      else if (width === 2) view.setUint16(place, number, true);
      else view.setUint32(place, number, true);
    },
    expected(row: number, column: Column): number {
      const { expected } = column;
      switch (expected.by) {
        case 'nothing':
          return 0;
        case 'before':
          return before(row, column);
        case 'field': {
          const like = layout.columns[expected.column];
          return like === undefined ? 0 : value(row, like);
        }
        case 'time':
          return isClockLost ? before(row, column) : atOf(row) / SECOND_MS;
        case 'date':
          return isClockLost ? before(row, column) : dateNumber(atOf(row));
      }
    },
  };
}

/** The same difference, as near to zero as the field's width allows. */
function wrapped(width: Column['bytes'], difference: number): number {
  const unused = 32 - 8 * width;
  return (difference << unused) >> unused;
}
