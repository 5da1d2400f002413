import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type ClaimDeviceInput, createAppClient, type OtaLatestAnswer } from '@autowatering/app-client';
import { build } from 'esbuild';
import { describe, expect, expectTypeOf, it } from 'vitest';

const sources = readdirSync('app-client', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

describe('the app client as a package', () => {
  it('adds at most 10 KB to an app', async () => {
    const { outputFiles } = await build({
      stdin: { contents: "export * from '@autowatering/app-client';", resolveDir: process.cwd() },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: ['chrome100', 'safari15.4'],
      write: false,
    });
    const bytes = gzipSync(outputFiles[0]?.contents ?? '').byteLength;
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThan(10_000);
  });

  it('needs no other package and nothing from Node', () => {
    const imported = sources.flatMap((name) =>
      [...readFileSync(`app-client/${name}`, 'utf8').matchAll(/from '([^']+)'/g)].map(([, target = '']) => target),
    );
    expect(imported.length).toBeGreaterThan(10);
    expect(imported.filter((target) => !/^\.{1,2}\//.test(target))).toEqual([]);
    expect(JSON.parse(readFileSync('app-client/package.json', 'utf8')).dependencies).toBeUndefined();
  });

  it('compiles in a browser without Node types', () => {
    expect(() =>
      execFileSync('npx', ['--no-install', 'tsc', '-p', 'app-client'], { encoding: 'utf8', timeout: 60_000 }),
    ).not.toThrow();
  });

  it('has a type for every input and answer', () => {
    const client = createAppClient({ baseUrl: 'http://127.0.0.1:1' });
    expectTypeOf(client.claimDevice).parameter(0).toEqualTypeOf<ClaimDeviceInput>();
    expectTypeOf(client.otaLatest).returns.resolves.toEqualTypeOf<OtaLatestAnswer>();
    expectTypeOf<OtaLatestAnswer['latest']>().extract<null>().toEqualTypeOf<null>();
    expectTypeOf<NonNullable<OtaLatestAnswer['latest']>['artifact']['size_bytes']>().toEqualTypeOf<number>();
    expectTypeOf<{ serial: string }>().toExtend<ClaimDeviceInput>();
    // @ts-expect-error a serial is text
    expectTypeOf<{ serial: number }>().toExtend<ClaimDeviceInput>();
    // @ts-expect-error the serial is required
    expectTypeOf(client.claimDevice).toBeCallableWith({});
    // @ts-expect-error the factory's routes are not the app's
    expectTypeOf(client.provision).toBeFunction();
  });
});
