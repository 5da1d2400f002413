import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every relative import of the project's own code, types and dynamic ones too. */
function imports(folders: readonly string[]): Import[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => {
        const from = path.join(folder, name);
        const text = readFileSync(from, 'utf8');
        return [...text.matchAll(/(?:from|import\()\s*'(\.{1,2}\/[^']+)'/g)].map(([, target = '']) => ({
          from,
          to: path.join(path.dirname(from), target),
        }));
      }),
  );
}

const SHARED = ['release-format', 'device-proof'] as const;
const all = imports(['src', 'firmware-sim', ...SHARED, 'tools']);
const inFolder = (file: string, folder: string) => file.startsWith(`${folder}/`);
const breaking = (isWrong: (one: Import) => boolean) => all.filter(isWrong).map(({ from, to }) => `${from} → ${to}`);
const DOMAINS = ['account', 'subscriptions', 'plants', 'fleet', 'ota', 'health'] as const;
const domainOf = (file: string) => DOMAINS.find((domain) => inFolder(file, `src/${domain}`));

describe('imports run one way', () => {
  it('finds imports to judge', () => {
    expect(all.length).toBeGreaterThan(200);
  });

  it('platform knows neither http nor a domain', () => {
    expect(
      breaking(
        ({ from, to }) => inFolder(from, 'src/platform') && inFolder(to, 'src') && !inFolder(to, 'src/platform'),
      ),
    ).toEqual([]);
  });

  it('http knows platform, and no domain', () => {
    expect(
      breaking(
        ({ from, to }) =>
          inFolder(from, 'src/http') &&
          inFolder(to, 'src') &&
          !inFolder(to, 'src/http') &&
          !inFolder(to, 'src/platform'),
      ),
    ).toEqual([]);
  });

  it("a domain uses another one only through its index, and only in the architecture's order", () => {
    const allowed = new Set(['account→subscriptions', 'account→fleet', 'plants→subscriptions', 'ota→fleet']);
    expect(
      breaking(({ from, to }) => {
        const [user, used] = [domainOf(from), domainOf(to)];
        if (user === undefined || used === undefined || user === used) return false;
        return !allowed.has(`${user}→${used}`) || path.basename(to) !== 'index.ts';
      }),
    ).toEqual([]);
  });

  it('a domain does not know who puts it together', () => {
    const above = ['src/app.ts', 'src/routes.ts', 'src/handler.ts', 'src/services.ts', 'src/local-server.ts'];
    expect(breaking(({ from, to }) => domainOf(from) !== undefined && above.includes(to))).toEqual([]);
  });

  it('DynamoDB is spoken to in stores, in the rate limit and in the health checks only', () => {
    const writers = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && /\bTableName\b/.test(readFileSync(path.join('src', name), 'utf8')),
    );
    expect(writers.sort()).toEqual([
      'account/store.ts',
      'account/tombstone.ts',
      'fleet/audit-trail.ts',
      'fleet/device-index.ts',
      'fleet/fleet-counts.ts',
      'fleet/fleet-summary.ts',
      'fleet/owner-lists.ts',
      'fleet/store.ts',
      'health/checks.ts',
      'http/rate-limit.ts',
      'ota/key-store.ts',
      'ota/lease-store.ts',
      'ota/progress-store.ts',
      'ota/store.ts',
      'plants/conversations.ts',
      'plants/provider-health.ts',
      'plants/result-cache.ts',
      'plants/usage-store.ts',
      'subscriptions/billing-record.ts',
      'subscriptions/event-ledger.ts',
      'subscriptions/recovery-slots.ts',
      'subscriptions/store.ts',
    ]);
  });

  it('there is no scan in src', () => {
    const scanning = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && /\.scan\(|ScanCommand/.test(readFileSync(path.join('src', name), 'utf8')),
    );
    expect(scanning).toEqual([]);
  });

  it('what both sides must agree on depends on nothing of ours', () => {
    for (const folder of SHARED) {
      expect(breaking(({ from, to }) => inFolder(from, folder) && !inFolder(to, folder))).toEqual([]);
    }
  });

  it('the simulator knows only itself and what both sides must agree on', () => {
    const known = ['firmware-sim', ...SHARED];
    expect(
      breaking(({ from, to }) => inFolder(from, 'firmware-sim') && !known.some((folder) => inFolder(to, folder))),
    ).toEqual([]);
  });

  it('tools talk HTTP: only the doc generator and the benchmark see the backend, at its entry points', () => {
    const entries = [
      'src/app.ts',
      'src/routes.ts',
      'src/services.ts',
      'src/http/define-route.ts',
      'src/http/errors.ts',
      'src/http/router.ts',
      'src/http/throttle.ts',
    ];
    expect(
      breaking(({ from, to }) => {
        if (!inFolder(from, 'tools') || !inFolder(to, 'src')) return false;
        return !(inFolder(from, 'tools/build/docs') || inFolder(from, 'tools/build/bench')) || !entries.includes(to);
      }),
    ).toEqual([]);
  });
});
