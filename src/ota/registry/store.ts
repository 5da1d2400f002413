import { type ReleaseVersion, versionSortKey } from '@autowatering/release-format';
import { type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { isoTime } from '../../platform/clock.ts';
import { createWhileOvertaken } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { endsRules, MOST_RULES, type Rule, ruleOf } from '../offer/rules.ts';
import type { Release, Track } from './release.ts';
import { type ReleaseAuditEntry, type StoredReleaseAudit, toReleaseAudit } from './release-audit.ts';
import {
  changingAttributes,
  fromRelease,
  fromRule,
  SCHEMA,
  type TrackRules,
  toRelease,
  toRules,
} from './stored-release.ts';

/** Sorts before every version, since versions begin with a digit. */
const RULES_RECORD = '#rules';
const PAGE = 50;

export interface ReleasePage {
  readonly releases: readonly Release[];
  readonly next?: string;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

export function trackPartition({ board, channel }: Track): string {
  return `${board}|${channel}`;
}

/** What is stored for a release besides its own item: audit, counts, devices. */
export function releasePartition(release: Track & { readonly version: ReleaseVersion }): string {
  return `${trackPartition(release)}|${release.version}`;
}

/**
 * The registry of releases. The sort key `version` is spelled so that it sorts as semver does, newest first in a list;
 * `release_version` is the readable version. One small item per track holds the rules that decide what is offered; it
 * changes in the same transaction as the release.
 */
export function createReleaseStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.otaReleases;
  const releaseKey = (track: Track, version: ReleaseVersion) => ({
    board_channel: trackPartition(track),
    version: versionSortKey(version),
  });
  const rulesKey = (track: Track) => ({ board_channel: trackPartition(track), version: RULES_RECORD });

  const readRelease = async (
    track: Track,
    version: ReleaseVersion,
    { mayBeStale = false }: { readonly mayBeStale?: boolean } = {},
  ): Promise<Release | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName,
      Key: releaseKey(track, version),
      ConsistentRead: !mayBeStale,
    });
    return item === undefined ? undefined : toRelease(item);
  };

  /** The rules of a track; undefined when nothing was ever registered there. */
  const readRules = async (track: Track): Promise<TrackRules | undefined> => {
    const { Item: item } = await (await documents()).get({ TableName, Key: rulesKey(track), ConsistentRead: true });
    return item === undefined ? undefined : toRules(item);
  };

  const list = async (track: Track, limit: number, after: string | undefined): Promise<ReleasePage> => {
    const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
      TableName,
      KeyConditionExpression: 'board_channel = :track AND version > :rules',
      ExpressionAttributeValues: { ':track': trackPartition(track), ':rules': RULES_RECORD },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: { board_channel: trackPartition(track), version: after } }),
    });
    const releases = items.map(toRelease);
    const next: unknown = last?.['version'];
    return typeof next === 'string' ? { releases, next } : { releases };
  };

  /** The rules with `changed` applied: newest first, up to one that everybody may have. */
  const rulesWith = async (changed: Release): Promise<readonly Rule[]> => {
    const rules: Rule[] = [];
    let pending: Release | undefined = changed;
    const add = (release: Release): boolean => {
      const rule = ruleOf(release);
      if (rule !== undefined) rules.push(rule);
      return (rule !== undefined && endsRules(rule)) || rules.length >= MOST_RULES;
    };
    let after: string | undefined;
    do {
      const page = await list(changed, PAGE, after);
      for (const release of page.releases) {
        const order = versionSortKey(release.version);
        if (pending !== undefined && versionSortKey(pending.version) >= order) {
          const isLast = add(pending);
          pending = undefined;
          if (isLast) return rules;
        }
        if (release.version !== changed.version && add(release)) return rules;
      }
      after = page.next;
    } while (after !== undefined);
    if (pending !== undefined) add(pending);
    return rules;
  };

  const auditAction = (after: Release, before: Release | null, entry: ReleaseAuditEntry, time: string) => ({
    Put: {
      TableName,
      Item: {
        board_channel: releasePartition(after),
        version: `audit#${String(after.revision).padStart(9, '0')}`,
        ...entry,
        timestamp: time,
        before: before?.state ?? null,
        after: after.state,
        schema: SCHEMA,
      },
    },
  });

  const writeRules = (track: Track, known: TrackRules | undefined, rules: readonly Rule[], time: string) => {
    const revision = known?.revision ?? 0;
    const change = updateExpression({
      set: { rules: rules.map(fromRule), rules_revision: revision + 1, schema: SCHEMA, changed_at: time },
    });
    return {
      Update: {
        TableName,
        Key: rulesKey(track),
        UpdateExpression: change.UpdateExpression,
        ConditionExpression:
          revision === 0 ? 'attribute_not_exists(rules_revision)' : 'rules_revision = :read_revision',
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ...(revision === 0 ? {} : { ':read_revision': revision }) },
      },
    };
  };

  const insert = (release: Release): TransactItems[number] => ({
    Put: {
      TableName,
      Item: { ...releaseKey(release, release.version), ...fromRelease(release) },
      ConditionExpression: 'attribute_not_exists(board_channel)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  });

  return {
    /** Retries a change from fresh reads while other changes get in between. */
    whileOvertaken: createWhileOvertaken(randomness),
    readRelease,
    readRules,
    /** Newest first. `after` is the sort key of the last release on the previous page. */
    list,

    /** Registers a draft, or returns the existing release of that version. */
    async createDraft(draft: Release): Promise<{ readonly created: boolean; readonly release: Release }> {
      const outcome = await transactWrite(documents, randomness, [
        insert(draft),
        // Shows the environment fallback that this track has a registry, in the one item it reads anyway.
        {
          Update: {
            TableName,
            Key: rulesKey(draft),
            UpdateExpression: 'SET registered_at = if_not_exists(registered_at, :now), #schema = :schema',
            ExpressionAttributeNames: { '#schema': 'schema' },
            ExpressionAttributeValues: { ':now': draft.createdAt, ':schema': SCHEMA },
          },
        },
        auditAction(draft, null, { action: 'created', actor: 'admin' }, draft.createdAt),
      ]);
      if (outcome.committed) return { created: true, release: draft };
      return { created: false, release: toRelease(outcome.reasons[0]?.item) };
    },

    /**
     * Replaces a draft that was never published. The audit continues.
     *
     * @returns the new draft; undefined when the old one has changed since it was read
     */
    async replaceDraft(before: Release, draft: Release): Promise<Release | undefined> {
      const after: Release = { ...draft, revision: before.revision + 1 };
      const outcome = await transactWrite(documents, randomness, [
        {
          Put: {
            TableName,
            Item: { ...releaseKey(after, after.version), ...fromRelease(after) },
            ConditionExpression: '#state = :draft AND #revision = :read_revision',
            ExpressionAttributeNames: { '#state': 'state', '#revision': 'revision' },
            ExpressionAttributeValues: { ':draft': 'draft', ':read_revision': before.revision },
          },
        },
        auditAction(after, before, { action: 'replaced', actor: 'admin' }, after.createdAt),
      ]);
      return outcome.committed ? after : undefined;
    },

    /**
     * Writes a changed release, its audit entry and the track's rules: all or nothing.
     *
     * @param before as it was read; null for a release promoted from another channel
     * @returns false when this release or another one of the track changed meanwhile
     */
    async commit(before: Release | null, after: Release, entry: ReleaseAuditEntry, now: number): Promise<boolean> {
      const time = isoTime(now);
      const known = await readRules(after);
      const rules = await rulesWith(after);
      const change = updateExpression({ set: changingAttributes(after) });
      const write: TransactItems[number] =
        before === null
          ? insert(after)
          : {
              Update: {
                TableName,
                Key: releaseKey(after, after.version),
                UpdateExpression: change.UpdateExpression,
                ConditionExpression: '#revision = :read_revision',
                ExpressionAttributeNames: change.names,
                ExpressionAttributeValues: { ...change.values, ':read_revision': before.revision },
              },
            };
      const outcome = await transactWrite(documents, randomness, [
        write,
        writeRules(after, known, rules, time),
        auditAction(after, before, entry, time),
      ]);
      return outcome.committed;
    },

    /** The history of a release, newest first. */
    async listAudit(release: Release, limit: number): Promise<readonly StoredReleaseAudit[]> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'board_channel = :release AND begins_with(version, :audit)',
        ExpressionAttributeValues: { ':release': releasePartition(release), ':audit': 'audit#' },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
      });
      return items.map((item) => toReleaseAudit(item));
    },
  };
}

export type ReleaseStore = ReturnType<typeof createReleaseStore>;
