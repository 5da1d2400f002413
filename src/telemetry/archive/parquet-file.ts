import { parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ArchiveColumn, ArchiveRow, Cell, ColumnType } from './archive-tables.ts';

/** Rows that are encoded together; as many are in memory at once. */
const GROUP_ROWS = 5_000;

const ELEMENTS: Readonly<Record<ColumnType, Pick<SchemaElement, 'type' | 'converted_type'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT32' },
  unsigned: { type: 'INT64' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  flag: { type: 'BOOLEAN' },
  bytes: { type: 'BYTE_ARRAY' },
};

export interface ParquetFile {
  add(rows: Iterable<ArchiveRow>): Promise<void>;
  readonly rows: number;
  /** The whole file. Nothing can be added afterwards. */
  finish(): Promise<Uint8Array>;
  /** Bytes so far, without the rows that are not yet encoded. */
  readonly size: number;
}

/** A file that grows by groups of rows, so that no more than one group is in memory uncompressed. */
export function createParquetFile(columns: readonly ArchiveColumn[]): ParquetFile {
  const writer = new ByteWriter();
  const schema: SchemaElement[] = [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name, type }): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...ELEMENTS[type] })),
  ];
  const file = new ParquetWriter({ writer, schema, createdBy: 'autowatering' });
  let group: ArchiveRow[] = [];
  let rows = 0;
  const encode = async () => {
    if (group.length === 0) return;
    const columnData = columns.map(({ name }) => ({ name, data: group.map((row): Cell => row[name] ?? null) }));
    group = [];
    await file.write({ columnData, rowGroupSize: GROUP_ROWS });
  };
  return {
    async add(more) {
      for (const row of more) {
        group.push(row);
        rows += 1;
        if (group.length === GROUP_ROWS) await encode();
      }
    },
    get rows() {
      return rows;
    },
    get size() {
      return writer.offset;
    },
    async finish() {
      await encode();
      await file.finish();
      return writer.getBytes();
    },
  };
}

/** Reads a file group by group. @param only these columns; all if not said */
export async function* readParquet(bytes: Uint8Array, only?: readonly string[]): AsyncGenerator<readonly ArchiveRow[]> {
  const file = new Uint8Array(bytes).buffer;
  const metadata = parquetMetadata(file);
  let start = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const end = start + Number(count);
    yield await parquetReadObjects({
      ...{ file, metadata, rowStart: start, rowEnd: end, utf8: false },
      ...(only === undefined ? {} : { columns: [...only] }),
    });
    start = end;
  }
}
