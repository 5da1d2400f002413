import { readFileSync } from 'node:fs';
import { satisfies } from 'semver';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const Package = z.object({ engines: z.object({ node: z.string() }) });
const { engines } = Package.parse(JSON.parse(readFileSync('package.json', 'utf8')));
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      engines: z.union([z.looseObject({ node: z.string().optional() }), z.array(z.string())]).optional(),
    }),
  ),
});

describe('the supported versions of Node', () => {
  it('are 22 and 24, in the documentation as well', () => {
    expect(['22.0.0', '24.0.0', '20.20.2', '23.0.0'].filter((version) => satisfies(version, engines.node))).toEqual([
      '22.0.0',
      '24.0.0',
    ]);
    for (const page of ['README.md', 'CONTRIBUTING.md']) expect(readFileSync(page, 'utf8')).toContain('Node 22 or 24');
    expect(readFileSync('template.yaml', 'utf8')).toMatch(/Runtime: nodejs24\.x[\s\S]*Target: node24/);
  });

  it('run every installed package, as does 20.20, which the current machines have', () => {
    const { packages } = Lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
    const others = Object.entries(packages).filter(([folder]) => folder !== '');
    expect(others.length).toBeGreaterThan(200);
    for (const version of ['20.20.2', '22.22.0', '24.12.0']) {
      const refusing = others.filter(([, { engines: needs }]) => {
        const range = Array.isArray(needs) ? undefined : needs?.node;
        return range !== undefined && !satisfies(version, range);
      });
      expect([version, refusing.map(([folder]) => folder)]).toEqual([version, []]);
    }
  });
});
