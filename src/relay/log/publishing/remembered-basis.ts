import type { Uid } from '../../../platform/ids.ts';
import type { StreamName } from '../../names.ts';
import { createRecent } from '../../recent.ts';
import type { Stream } from '../stored-stream.ts';
import { type AuthorState, authorAfter } from './publish-rate.ts';
import type { Author } from './publish-request.ts';
import type { Publication } from './publish-transaction.ts';

const REMEMBERED_MS = 1_000;
/** A stream that another container publishes to as well is read every time for so long: a failed transaction costs more. */
const SHARED_MS = 30_000;
const MOST = 1_000;

/** The stream and the author as this container's own last publish left them. */
export interface RememberedBasis {
  readonly stream: Stream;
  readonly author: AuthorState;
}

/**
 * What this container stored within the last second, so that the next publish of the same author need not read it again.
 * It may be outdated by then, which does no harm: the transaction is on condition that the stream and the author are
 * as they are remembered, and returns them if they are not.
 */
export function createRememberedBasis() {
  const streams = createRecent<Stream>({ ms: REMEMBERED_MS, most: MOST });
  const authors = createRecent<AuthorState>({ ms: REMEMBERED_MS, most: MOST });
  const shared = createRecent<true>({ ms: SHARED_MS, most: MOST });
  const nameOf = (uid: Uid, part: string) => JSON.stringify([uid, part]);

  return {
    find({ uid, peerId }: Author, stream: StreamName, now: number): RememberedBasis | undefined {
      const known = streams.find(nameOf(uid, stream), now);
      const author = authors.find(nameOf(uid, peerId), now);
      return known === undefined || author === undefined ? undefined : { stream: known, author };
    },

    /** The publication was committed. */
    stored(publication: Publication): void {
      const { author, after, now } = publication;
      if (shared.find(nameOf(author.uid, after.name), now) !== undefined) return;
      streams.keep(nameOf(author.uid, after.name), { ...after, areAuthorsStored: true }, now);
      authors.keep(nameOf(author.uid, author.peerId), authorAfter(publication), now);
    },

    /** Somebody else has published to the stream since. */
    overtaken(uid: Uid, stream: StreamName, now: number): void {
      streams.forget(nameOf(uid, stream));
      shared.keep(nameOf(uid, stream), true, now);
    },
  };
}
