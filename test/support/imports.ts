import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Import {
  readonly from: string;
  readonly to: string;
}

/** The project's packages: their folders are named after the package without its scope. */
const OWN_PACKAGE = /^@autowatering\/([\w-]+)(?:\/(.+))?$/;

/** All imports of the project's own code in these folders, including types and dynamic imports, as project paths. */
export function importsOf(folders: readonly string[]): readonly Import[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .flatMap((name) => {
        const from = path.join(folder, name);
        const text = readFileSync(from, 'utf8');
        return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].flatMap(([, target = '']) => {
          const to = fileOf(target, from);
          return to === undefined ? [] : [{ from, to }];
        });
      }),
  );
}

/** The files that import each other in a circle, types included. */
export function circlesOf(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const reachable = (start: string) => {
    const seen = new Set<string>();
    const waiting = [...(next.get(start) ?? [])];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      waiting.push(...(next.get(file) ?? []));
    }
    return seen;
  };
  return [...next.keys()].filter((file) => reachable(file).has(file)).sort();
}

function fileOf(target: string, from: string): string | undefined {
  if (target.startsWith('.')) return path.join(path.dirname(from), target);
  const [, folder, file = 'index.ts'] = OWN_PACKAGE.exec(target) ?? [];
  return folder === undefined ? undefined : path.join(folder, file);
}
