import { failedCondition, transactWrite } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { Epoch, StreamName } from '../names.ts';
import { streamKey } from '../table-keys.ts';
import { ACCOUNT_LIMITS, accountAction } from './account-limits.ts';
import { createCursorStore } from './cursor-store.ts';
import { createLogRemoval } from './log-removal.ts';
import { createLogStore } from './log-store.ts';
import { type Stream, toStream } from './stored-stream.ts';

/** A stream as the account's owner sees it. */
export interface StreamView {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly head: number;
  /** Bytes of its stored events. Expired ones may still be counted. */
  readonly bytes: number;
  readonly retentionDays: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export type StreamDeletion =
  /** @param isComplete false: so many events that some are left; deleting the stream again goes on */
  { readonly outcome: 'deleted'; readonly isComplete: boolean } | { readonly outcome: 'not_found' };

/** Within the time that a request has. */
const REMOVAL_MS = 8_000;

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'clock'>;

/** The streams of accounts. They come into being by the first publish. */
export function createStreams(services: Needed) {
  const { config, documents, randomness } = services;
  const TableName = config.tables.relay;
  const logs = createLogStore(services);
  const removal = createLogRemoval(services);
  const cursors = createCursorStore(services);
  const whileOvertaken = createWhileOvertaken(randomness);

  /** Takes the stream away; from then on a publish makes a new one. */
  const takeAway = (uid: Uid, name: StreamName): Promise<boolean> =>
    whileOvertaken('the deletion of a stream', async () => {
      const stream = await logs.readStream(uid, name);
      if (stream === undefined) return false;
      const outcome = await transactWrite(documents, randomness, [
        {
          Delete: {
            TableName,
            Key: streamKey(uid, name),
            ConditionExpression: 'log_id = :log AND allotted = :allotted AND removed = :removed',
            ExpressionAttributeValues: {
              ':log': stream.logId,
              ':allotted': stream.allotted,
              ':removed': stream.removed,
            },
          },
        },
        accountAction(TableName, uid, { streams: -1, allotted: stream.removed - stream.allotted }, ACCOUNT_LIMITS),
      ]);
      return outcome.committed ? true : OVERTAKEN;
    });

  return {
    async list(uid: Uid): Promise<readonly StreamView[]> {
      return (await logs.listStreams(uid)).map(viewOf);
    },

    /** Sets for how many days events are kept that are published from now on. Undefined: there is no such stream. */
    async setRetention(uid: Uid, name: StreamName, days: number): Promise<StreamView | undefined> {
      try {
        const { Attributes: item } = await (await documents()).update({
          TableName,
          Key: streamKey(uid, name),
          UpdateExpression: 'SET retention_days = :days',
          ConditionExpression: 'attribute_exists(log_id)',
          ExpressionAttributeValues: { ':days': days },
          ReturnValues: 'ALL_NEW',
        });
        return viewOf(toStream(item ?? {}));
      } catch (error) {
        if (failedCondition(error) !== undefined) return undefined;
        throw error;
      }
    },

    /**
     * Deletes a stream with all of its events. The next publish makes a new one, with another epoch. What a crash left of
     * an earlier deletion is removed too.
     */
    async remove(uid: Uid, name: StreamName): Promise<StreamDeletion> {
      const existed = await takeAway(uid, name);
      const left = await removal.list(uid, name);
      // Somebody may have made the stream again meanwhile.
      const current = (await logs.readStream(uid, name))?.logId;
      const old = left.filter(({ logId }) => logId !== current);
      if (!existed && old.length === 0) return { outcome: 'not_found' };
      const started = performance.now();
      const isTimeUp = () => performance.now() - started > REMOVAL_MS;
      let isComplete = true;
      // Before the logs, which show a repetition that there is something left to do.
      if (current === undefined) await cursors.removeOf(uid, name);
      for (const log of old) isComplete = (await removal.remove(uid, log, isTimeUp)) && isComplete;
      return { outcome: 'deleted', isComplete };
    },

    /** Removes every event of an account whose peers are all revoked. Can be repeated. */
    async removeLogsOf(uid: Uid): Promise<void> {
      for (const log of await removal.list(uid)) await removal.remove(uid, log);
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;

function viewOf({ name, epoch, head, written, removed, retentionDays, createdAt }: Stream): StreamView {
  return { stream: name, epoch, head, bytes: written - removed, retentionDays, createdAt };
}
