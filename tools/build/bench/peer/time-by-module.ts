import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { HandlerProfile } from './handler-process.ts';

export interface ModuleTime {
  /** A package, a file of ours, or Node itself. */
  readonly module: string;
  readonly microsecondsPerRequest: number;
  readonly share: number;
}

const Map3 = z.looseObject({
  version: z.number(),
  file: z.string().default(''),
  sources: z.array(z.string()),
  sourcesContent: z.array(z.string().nullable()).default([]),
  names: z.array(z.string()),
  mappings: z.string(),
  sourceRoot: z.string().default(''),
});

/** Returns a request's self time by module, largest first. Bundles are resolved through their source maps. */
export async function timeByModule({ profile, count }: HandlerProfile): Promise<readonly ModuleTime[]> {
  const maps = await sourceMaps(new Set(profile.nodes.map(({ callFrame }) => callFrame.url)));
  const moduleOf = new Map(
    profile.nodes.map(({ id, callFrame }) => [id, moduleName(callFrame, maps.get(callFrame.url))] as const),
  );
  const times = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const name = moduleOf.get(id) ?? 'unknown';
    if (name !== '(idle)') times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0));
  });
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([module, time]) => ({ module, microsecondsPerRequest: time / count, share: time / total }))
    .sort((a, b) => b.share - a.share);
}

async function sourceMaps(urls: ReadonlySet<string>): Promise<ReadonlyMap<string, SourceMap>> {
  const maps = new Map<string, SourceMap>();
  for (const url of urls) {
    if (!url.startsWith('file:')) continue;
    const text = await readFile(`${fileURLToPath(url)}.map`, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { sourcesContent, ...map } = Map3.parse(JSON.parse(text));
    maps.set(url, new SourceMap({ ...map, sourcesContent: sourcesContent.map((content) => content ?? '') }));
  }
  return maps;
}

type CallFrame = HandlerProfile['profile']['nodes'][number]['callFrame'];

function moduleName({ functionName, url, lineNumber, columnNumber }: CallFrame, map: SourceMap | undefined): string {
  if (functionName === '(garbage collector)' || functionName === '(idle)') return functionName;
  if (url === '') return 'V8 and Node’s native code';
  if (url.startsWith('node:')) return url;
  const entry = map?.findEntry(lineNumber, columnNumber);
  const source = entry !== undefined && 'originalSource' in entry ? String(entry.originalSource) : url;
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1];
  return inPackage ?? source.replace(/^.*?\/(?=(?:src|release-format|device-proof)\/)/, '');
}
