import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Backend } from './backend.ts';

const BUCKET = 's3://<bucket>/';

/** The archive in DuckDB, with the views and queries of docs/telemetry.md. */
export async function openArchive(backend: Backend) {
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-archive-'));
  for (const key of await backend.objects('archive/')) {
    const file = path.join(directory, key);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, (await backend.services.objectStore.read(key)) ?? new Uint8Array());
  }
  const blocks = (await readFile('docs/telemetry.md', 'utf8')).matchAll(/```sql\n-- (view|query) ([^\n]+)\n(.*?)```/gs);
  const queries = new Map([...blocks].map(([, , name = '', sql = '']) => [name, sql]));
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const view = queries.get('rain_hourly') ?? '';
  return {
    names: [...queries.keys()].filter((name) => name !== 'rain_hourly'),
    async createViews(kinds: readonly string[]): Promise<void> {
      for (const kind of kinds) await rows(view.replace(BUCKET, `${directory}/`).replaceAll('rain_hourly', kind));
    },
    rows,
    run: (name: string) => rows(queries.get(name) ?? `there is no query ${name}`),
    async close(): Promise<void> {
      connection.closeSync();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
