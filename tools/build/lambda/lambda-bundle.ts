import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import * as z from 'zod';
import type { FunctionName } from '../template/granted-rights.ts';
import { readTemplate } from '../template/template.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BuiltFunction = z.object({
  Properties: z.object({ Handler: z.string().regex(/^[\w-]+\.handler$/) }),
  Metadata: z.object({
    BuildMethod: z.literal('esbuild'),
    BuildProperties: z.object({
      EntryPoints: z.array(z.string()),
      Format: z.literal('esm'),
      OutExtension: z.array(z.string()),
      Target: z.string(),
      MainFields: z.string(),
      Minify: z.boolean(),
      Splitting: z.boolean(),
      Alias: z.array(z.string()),
      Banner: z.array(z.string()),
    }),
  }),
});

export interface LambdaBundle {
  readonly directory: string;
  readonly handler: string;
  readonly metafile: Metafile;
}

/**
 * Bundles a Lambda function with the same options that `sam build` reads from the template.
 *
 * @param more `sourcemap` also writes source maps, which `sam build` does not
 */
export async function buildLambdaBundle(
  directory: string,
  more: Pick<BuildOptions, 'sourcemap'> = {},
  name: FunctionName = 'Backend',
): Promise<LambdaBundle> {
  const { Resources: resources } = await readTemplate();
  const { Metadata: metadata, Properties: properties } = BuiltFunction.parse(resources[name]);
  const { BuildProperties: options } = metadata;
  const settings: BuildOptions = {
    absWorkingDir: ROOT,
    entryPoints: options.EntryPoints,
    outdir: directory,
    bundle: true,
    platform: 'node',
    format: options.Format,
    outExtension: pairs(options.OutExtension),
    target: options.Target,
    mainFields: options.MainFields.split(','),
    minify: options.Minify,
    splitting: options.Splitting,
    alias: pairs(options.Alias),
    banner: pairs(options.Banner),
    metafile: true,
    ...more,
    logLevel: 'silent',
  };
  const { metafile = { inputs: {}, outputs: {} } } = await build(settings);
  return { directory, handler: path.join(directory, properties.Handler.replace(/\.handler$/, '.mjs')), metafile };
}

function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** Returns the bytes by package in the given output files, largest first. */
export function bytesByPackage(metafile: Metafile, files: ReadonlySet<string>): readonly (readonly [string, number])[] {
  const bytes = new Map<string, number>();
  for (const [file, output] of Object.entries(metafile.outputs)) {
    if (!files.has(path.resolve(ROOT, file))) continue;
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? 'our own code';
      bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...bytes].sort(([, a], [, b]) => b - a);
}
