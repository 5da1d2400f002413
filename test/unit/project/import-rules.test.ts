import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { circlesOf, type Import, importsOf } from '../../support/imports.ts';

const SHARED = ['release-format', 'device-proof', 'device-data', 'relay-protocol'] as const;
const LAYERS = ['http', 'platform'];
const all = importsOf(['src', 'firmware-sim', ...SHARED, 'tools']);
const inFolder = (file: string, folder: string) => file.startsWith(`${folder}/`);
const breaking = (isWrong: (one: Import) => boolean) => all.filter(isWrong).map(({ from, to }) => `${from} → ${to}`);

const domains = readdirSync('src', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !LAYERS.includes(entry.name))
  .map(({ name }) => name);
const domainOf = (file: string) => domains.find((domain) => inFolder(file, `src/${domain}`));

/** The table in `docs/architecture.md`: which domains each domain may use. */
const uses = new Map(
  [...readFileSync('docs/architecture.md', 'utf8').matchAll(/^\| `([\w-]+)` \| ([^|]*) \|/gm)].map(
    ([, domain = '', used = '']) => [domain, [...used.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)] as const,
  ),
);
const allowed = [...uses].flatMap(([domain, used]) => used.map((other) => `${domain} → ${other}`));

describe('files of the backend', () => {
  it('never import each other in a circle', () => {
    expect(circlesOf(all.filter(({ from }) => inFolder(from, 'src')))).toEqual([]);
  });
});

describe('domains', () => {
  it('match the rows of the table', () => {
    expect([...uses.keys()].sort()).toEqual([...domains].sort());
  });

  it('use each other exactly as in the table', () => {
    const found = all.flatMap(({ from, to }) => {
      const [user, used] = [domainOf(from), domainOf(to)];
      return user === undefined || used === undefined || user === used ? [] : [`${user} → ${used}`];
    });
    expect([...new Set(found)].sort()).toEqual([...allowed].sort());
  });

  it('have no circular dependencies', () => {
    const reaches = (from: string, seen: readonly string[] = []): readonly string[] =>
      (uses.get(from) ?? []).flatMap((next) =>
        seen.includes(next) ? [next] : [next, ...reaches(next, [...seen, next])],
      );
    expect(domains.filter((domain) => reaches(domain).includes(domain))).toEqual([]);
  });

  it('are used only through their index and fields.ts; the route table also loads their routes, the relay its function, the function for work by time their jobs', () => {
    expect(
      breaking(({ from, to }) => {
        const used = domainOf(to);
        if (used === undefined || domainOf(from) === used || !inFolder(from, 'src')) return false;
        if (from === 'src/routes.ts' && /(\/parts|\/routes|-routes?)\.ts$/.test(to)) return false;
        if (from === 'src/relay-function.ts' && used === 'relay') return false;
        if (from === 'src/jobs-function.ts' && to === `src/${used}/jobs.ts`) return false;
        return to !== `src/${used}/index.ts` && to !== `src/${used}/fields.ts`;
      }),
    ).toEqual([]);
  });

  it('do not import the code that composes them', () => {
    expect(breaking(({ from, to }) => domainOf(from) !== undefined && path.dirname(to) === 'src')).toEqual([]);
  });

  it('have few files per folder: more need subfolders', () => {
    const crowded = ['src', 'firmware-sim', 'tools']
      .flatMap((folder) => [folder, ...foldersBelow(folder)])
      .filter((folder) => filesIn(folder) > 16);
    expect(crowded).toEqual([]);
  });
});

describe('imports run one way,', () => {
  it('so platform imports neither http nor a domain', () => {
    expect(
      breaking(
        ({ from, to }) => inFolder(from, 'src/platform') && inFolder(to, 'src') && !inFolder(to, 'src/platform'),
      ),
    ).toEqual([]);
  });

  it('so http imports platform and no domain', () => {
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

  it('so shared packages import nothing above them', () => {
    for (const folder of SHARED) {
      expect(breaking(({ from, to }) => inFolder(from, folder) && !inFolder(to, folder))).toEqual([]);
    }
    const known = ['firmware-sim', ...SHARED];
    // A hub is a peer of the relay, as a phone's app is: it speaks to it through the client.
    const isHubAtRelay = ({ from, to }: Import) => inFolder(from, 'firmware-sim/hub') && inFolder(to, 'relay-client');
    expect(
      breaking(
        (one) =>
          inFolder(one.from, 'firmware-sim') && !known.some((folder) => inFolder(one.to, folder)) && !isHubAtRelay(one),
      ),
    ).toEqual([]);
  });

  it('so only the document generator, the benchmark and the rereading import the backend, at its entry points', () => {
    const entries = [
      'src/app.ts',
      'src/jobs-function.ts',
      'src/route-index.ts',
      'src/routes.ts',
      'src/services.ts',
      'src/http/define-route.ts',
      'src/http/errors.ts',
      'src/http/adapters/fetch-adapter.ts',
      'src/http/route-contract.ts',
      'src/http/router.ts',
      'src/http/body/body-limit.ts',
      'src/http/checks/throttle.ts',
      'src/platform/aws/documents.ts',
      'src/relay/frames/peer-frames.ts',
      'src/relay/frames/plain-frames.ts',
      'src/relay/frames/server-frames.ts',
      'src/telemetry/reread/reread.ts',
    ];
    const mayLook = ['tools/build/docs', 'tools/build/bench', 'tools/operations/telemetry'];
    expect(
      breaking(({ from, to }) => {
        if (!inFolder(from, 'tools') || !inFolder(to, 'src')) return false;
        return !mayLook.some((folder) => inFolder(from, folder)) || !entries.includes(to);
      }),
    ).toEqual([]);
  });

  it('and there are enough of them to check', () => {
    expect(all.length).toBeGreaterThan(200);
  });
});

describe('DynamoDB', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const matching = (pattern: RegExp) =>
    files.filter((name) => pattern.test(readFileSync(path.join('src', name), 'utf8'))).sort();

  it('is accessed only by stores, what they share, the rate limit and the health checks', () => {
    expect(matching(/\bTableName\b/)).toEqual([
      'account/store.ts',
      'account/tombstone.ts',
      'commands/store/account-commands.ts',
      'commands/store/due-store.ts',
      'commands/store/queue-store.ts',
      'commands/store/settings-store.ts',
      'fleet/audit/audit-action.ts',
      'fleet/audit/audit-trail.ts',
      'fleet/device/device-index.ts',
      'fleet/device/new-devices.ts',
      'fleet/device/store.ts',
      'fleet/overview/fleet-counts.ts',
      'fleet/overview/fleet-summary.ts',
      'fleet/ownership/owner-lists.ts',
      'fleet/ownership/proof-limit.ts',
      'health/checks.ts',
      'http/checks/rate-limit.ts',
      'notifications/account-notifications.ts',
      'notifications/delivery/due-store.ts',
      'notifications/endpoints/endpoint-store.ts',
      'notifications/inbox/inbox-store.ts',
      'notifications/intake/intake-store.ts',
      'notifications/settings/settings-store.ts',
      'ota/news/news-progress.ts',
      'ota/progress/lease-store.ts',
      'ota/progress/progress-store.ts',
      'ota/progress/release-counts.ts',
      'ota/registry/key-store.ts',
      'ota/registry/store.ts',
      'plants/doctor/conversations.ts',
      'plants/providers/provider-health.ts',
      'plants/result-cache.ts',
      'plants/usage/usage-store.ts',
      'platform/aws/dynamodb/remove-partition.ts',
      'platform/jobs/job-turns.ts',
      'relay/delivery/online-store.ts',
      'relay/delivery/peer-views.ts',
      'relay/items-of-account.ts',
      'relay/log/account-limits.ts',
      'relay/log/cursor-store.ts',
      'relay/log/log-removal.ts',
      'relay/log/log-store.ts',
      'relay/log/publishing/publish-rate.ts',
      'relay/log/publishing/publish-transaction.ts',
      'relay/log/publishing/repeated-publish.ts',
      'relay/log/publishing/store-events.ts',
      'relay/log/streams.ts',
      'relay/peers/account-items.ts',
      'relay/peers/peer-store.ts',
      'relay/session/store/account-connections.ts',
      'relay/session/store/connection-store.ts',
      'relay/session/store/session-store.ts',
      'relay/tokens/token-store.ts',
      'subscriptions/billing-record.ts',
      'subscriptions/status/recovery-slots.ts',
      'subscriptions/store.ts',
      'subscriptions/webhook/event-ledger.ts',
      'telemetry/archive/archive-progress.ts',
      'telemetry/archive/erasures.ts',
      'telemetry/health/health-store.ts',
      'telemetry/health/upload-weeks.ts',
      'telemetry/store/garden-items.ts',
    ]);
  });

  it('is never scanned', () => {
    expect(matching(/\.scan\(|ScanCommand/)).toEqual([]);
  });
});

function foldersBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((name) => !name.includes('node_modules'));
}

function filesIn(folder: string): number {
  return readdirSync(folder).filter((name) => name.endsWith('.ts')).length;
}
