import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import * as appClient from '@autowatering/app-client';
import * as deviceProof from '@autowatering/device-proof';
import * as firmwareSim from '@autowatering/firmware-sim';
import { BleLink as bleLinkBySubpath } from '@autowatering/firmware-sim/link/ble-link.ts';
import * as releaseFormat from '@autowatering/release-format';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createAppClient } from '../../../app-client/index.ts';
import { claimMessage } from '../../../device-proof/messages.ts';
import { BleLink } from '../../../firmware-sim/link/ble-link.ts';
import { parseImage } from '../../../release-format/mcuboot-image.ts';

const Package = z.looseObject({
  name: z.string(),
  private: z.boolean(),
  type: z.literal('module'),
  license: z.string(),
  exports: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()).default({}),
});
const root: { readonly workspaces: readonly string[]; readonly dependencies: Readonly<Record<string, string>> } =
  JSON.parse(readFileSync('package.json', 'utf8'));
const packages = root.workspaces.map((folder) => ({
  folder,
  ...Package.parse(JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))),
}));

/** The packages imported by a folder's code, by name or by a path out of the folder. */
function importedBy(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const targets = files.flatMap((file) =>
    [...readFileSync(path.join(folder, file), 'utf8').matchAll(/(?:\bfrom\s|import\()\s*'([^']+)'/g)].map(
      ([, to = '']) => {
        if (!to.startsWith('.')) return /^(?:@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to;
        const [into = ''] = path.join(folder, path.dirname(file), to).split('/');
        return into === folder ? '' : `@autowatering/${into}`;
      },
    ),
  );
  return [...new Set(targets)].filter((target) => target !== '' && !isBuiltin(target)).sort();
}

describe("the project's packages", () => {
  it('are the same modules by name as by path', () => {
    expect(releaseFormat.parseImage).toBe(parseImage);
    expect(deviceProof.claimMessage).toBe(claimMessage);
    expect(firmwareSim.BleLink).toBe(BleLink);
    expect(bleLinkBySubpath).toBe(BleLink);
    expect(appClient.createAppClient).toBe(createAppClient);
  });

  it('are found by name by a command and by the bundler, which includes them', async () => {
    const names = packages.map(({ name }) => `await import('${name}')`);
    const script = `console.log([${names.join(', ')}].every((one) => Object.keys(one).length > 0));`;
    const tsx = ['--import', 'tsx', '--input-type=module', '--eval', script];
    expect(execFileSync(process.execPath, tsx, { encoding: 'utf8', timeout: 60_000 }).trim()).toBe('true');
    const { metafile } = await build({
      stdin: { contents: packages.map(({ name }) => `export * from '${name}';`).join('\n'), resolveDir: process.cwd() },
      bundle: true,
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    expect(Object.keys(metafile.inputs)).toEqual(
      expect.arrayContaining(packages.map(({ folder }) => `${folder}/index.ts`)),
    );
  });

  it('declare exactly what they need; of our own code only each other', () => {
    for (const { folder, dependencies } of packages) {
      expect([folder, importedBy(folder)]).toEqual([folder, Object.keys(dependencies).sort()]);
    }
  });

  it('use the same dependency versions as the project', () => {
    const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    );
    for (const { name, dependencies } of packages) {
      for (const [other, version] of Object.entries(dependencies)) {
        expect([name, other, version]).toEqual([name, other, { ...devDependencies, ...root.dependencies }[other]]);
      }
    }
  });

  it('declare what they are and their entry point', () => {
    for (const { folder, name, exports } of packages) {
      expect(name).toBe(`@autowatering/${folder}`);
      expect(exports['.']).toBe('./index.ts');
      expect(existsSync(`${folder}/index.ts`)).toBe(true);
      expect(readFileSync(`${folder}/README.md`, 'utf8')).toMatch(/^# /);
    }
  });
});
