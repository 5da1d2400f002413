import * as z from 'zod';
import { parseReleaseVersion, type ReleaseVersion, versionSortKey } from '../../release-format/release-version.ts';
import { isoTime } from '../platform/clock.ts';
import { transactWrite } from '../platform/dynamo.ts';
import type { Services } from '../platform/services.ts';
import type { Offer, PublishedRelease, Release, Track } from './release.ts';

/** Layout of the items below; a change of it gets the next number and a migration. */
const SCHEMA = 1;
/** Sorts before every version, which begin with a digit. */
const OFFER_RECORD = '#offer';

const StoredVersion = z.string().transform((text, context): ReleaseVersion => {
  const version = parseReleaseVersion(text);
  if (version !== undefined) return version;
  context.addIssue({ code: 'custom', message: 'not a version' });
  return z.NEVER;
});

const StoredArtifact = z.object({
  release_version: StoredVersion,
  channel: z.string(),
  mandatory: z.boolean(),
  notes: z.string(),
  artifact_name: z.string(),
  artifact_size_bytes: z.number(),
  artifact_sha256: z.string(),
  storage_key: z.string(),
});

const StoredRelease = StoredArtifact.extend({
  board: z.string(),
  created_at: z.string(),
  published_at: z.string().optional(),
});

/** The registry of one track: nothing was ever registered, nothing is published yet, or this is offered. */
export type OfferState =
  | { readonly registry: 'empty' }
  | { readonly registry: 'unpublished' }
  | { readonly registry: 'offering'; readonly offer: Offer };

export interface ReleasePage {
  readonly releases: readonly Release[];
  readonly next?: string;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/**
 * Every DynamoDB access of the OTA domain. The sort key `version` holds the version in a spelling that sorts as semver
 * does, so that a list is newest first; the version people read is `release_version`.
 */
export function createReleaseStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.otaReleases;
  const partition = ({ board, channel }: Track) => `${board}|${channel}`;
  const releaseKey = (track: Track, version: ReleaseVersion) => ({
    board_channel: partition(track),
    version: versionSortKey(version),
  });
  const offerKey = (track: Track) => ({ board_channel: partition(track), version: OFFER_RECORD });

  const readRelease = async (track: Track, version: ReleaseVersion): Promise<Release | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName,
      Key: releaseKey(track, version),
      ConsistentRead: true,
    });
    return item === undefined ? undefined : toRelease(item);
  };

  return {
    readRelease,

    /** Registers a draft, unless that version is there: then it gives the one that is. */
    async createDraft(draft: Release): Promise<{ readonly created: boolean; readonly release: Release }> {
      const outcome = await transactWrite(documents, randomness, [
        {
          Put: {
            TableName,
            Item: { ...releaseKey(draft, draft.version), ...fromRelease(draft), schema: SCHEMA },
            ConditionExpression: 'attribute_not_exists(board_channel)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        // Tells the environment fallback that this track has a registry, in the one item that is read anyway.
        {
          Update: {
            TableName,
            Key: offerKey(draft),
            UpdateExpression: 'SET registered_at = if_not_exists(registered_at, :now), #schema = :schema',
            ExpressionAttributeNames: { '#schema': 'schema' },
            ExpressionAttributeValues: { ':now': draft.createdAt, ':schema': SCHEMA },
          },
        },
      ]);
      if (outcome.committed) return { created: true, release: draft };
      return { created: false, release: toRelease(outcome.reasons[0]?.item) };
    },

    /**
     * Publishes a draft and, if it is the newest, offers it, in one step. Publishing twice gives the first result.
     *
     * @param storageKey where the verified bytes now lie
     */
    async publish(draft: Release, storageKey: string, now: number): Promise<PublishedRelease> {
      const publishedAt = isoTime(now);
      const artifact = { ...draft.artifact, storageKey };
      const published: PublishedRelease = { ...draft, artifact, state: 'published', publishedAt };
      const order = versionSortKey(draft.version);
      const updateRelease = {
        Update: {
          TableName,
          Key: releaseKey(draft, draft.version),
          UpdateExpression: 'SET published_at = :now, storage_key = :key',
          ConditionExpression: 'attribute_exists(board_channel) AND attribute_not_exists(published_at)',
          ExpressionAttributeValues: { ':now': publishedAt, ':key': storageKey },
        },
      };
      const asNewest = await transactWrite(documents, randomness, [
        updateRelease,
        {
          Put: {
            TableName,
            Item: { ...offerKey(draft), ...fromRelease(published), offered_order: order, schema: SCHEMA },
            ConditionExpression: 'attribute_not_exists(offered_order) OR offered_order < :order',
            ExpressionAttributeValues: { ':order': order },
          },
        },
      ]);
      if (asNewest.committed) return published;
      const behindNewer = await transactWrite(documents, randomness, [
        updateRelease,
        {
          ConditionCheck: {
            TableName,
            Key: offerKey(draft),
            ConditionExpression: 'offered_order >= :order',
            ExpressionAttributeValues: { ':order': order },
          },
        },
      ]);
      if (behindNewer.committed) return published;
      const current = await readRelease(draft, draft.version);
      if (current?.state === 'published') return current;
      throw new Error(`release ${draft.version} could be published neither as the newest nor behind it`);
    },

    /** One read of one small item, however many releases there are. */
    async readOffer(track: Track): Promise<OfferState> {
      const { Item: item } = await (await documents()).get({ TableName, Key: offerKey(track) });
      if (item === undefined) return { registry: 'empty' };
      if (item['offered_order'] === undefined) return { registry: 'unpublished' };
      const stored = StoredArtifact.parse(item);
      return { registry: 'offering', offer: { ...toOffer(stored) } };
    },

    /** Newest first. `after` is the sort key of the last release of the page before. */
    async list(track: Track, limit: number, after: string | undefined): Promise<ReleasePage> {
      const { Items: items = [], LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'board_channel = :track AND version > :offer',
        ExpressionAttributeValues: { ':track': partition(track), ':offer': OFFER_RECORD },
        ScanIndexForward: false,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { board_channel: partition(track), version: after } }),
      });
      const releases = items.map(toRelease);
      const next: unknown = last?.['version'];
      return typeof next === 'string' ? { releases, next } : { releases };
    },
  };
}

export type ReleaseStore = ReturnType<typeof createReleaseStore>;

function fromRelease(release: Release) {
  const { artifact } = release;
  return {
    release_version: release.version,
    board: release.board,
    channel: release.channel,
    mandatory: release.mandatory,
    notes: release.notes,
    artifact_name: artifact.name,
    artifact_size_bytes: artifact.sizeBytes,
    artifact_sha256: artifact.sha256,
    storage_key: artifact.storageKey,
    created_at: release.createdAt,
    ...(release.state === 'published' ? { published_at: release.publishedAt } : {}),
  };
}

function toOffer(stored: z.output<typeof StoredArtifact>): Offer {
  return {
    version: stored.release_version,
    channel: stored.channel,
    mandatory: stored.mandatory,
    notes: stored.notes,
    artifact: {
      name: stored.artifact_name,
      sizeBytes: stored.artifact_size_bytes,
      sha256: stored.artifact_sha256,
      storageKey: stored.storage_key,
    },
  };
}

function toRelease(item: unknown): Release {
  const stored = StoredRelease.parse(item);
  const facts = { ...toOffer(stored), board: stored.board, createdAt: stored.created_at };
  if (stored.published_at === undefined) return { ...facts, state: 'draft' };
  return { ...facts, state: 'published', publishedAt: stored.published_at };
}
