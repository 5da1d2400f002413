import type { Services } from '../../platform/services.ts';
import type { Delivery } from '../delivery/deliver.ts';
import type { Author, PublishedEvents, PublishOutcome, PublishRequest } from './publishing/publish-request.ts';
import { createEventStorage } from './publishing/store-events.ts';

/** Answers the author. Runs while the others get the events, and must not fail. */
export type Answer = (outcome: PublishOutcome) => Promise<unknown>;

/**
 * A repeated publish may follow one that was stored by a container that died before it delivered the events. For this
 * long they are delivered again; peers drop what they have.
 */
const TOLD_AGAIN_MS = 5 * 60_000;

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'clock' | 'metrics'>;

/**
 * Stores events exactly once, and delivers them to the connected peers. Never fails because a peer can't be reached.
 *
 * @throws DependencyUnavailableError when it is not certain whether they are stored; the same publish can be repeated
 */
export function createPublish(services: Needed, delivery: Pick<Delivery, 'events'>) {
  const { clock, metrics } = services;
  const store = createEventStorage(services);

  const count = (outcome: PublishOutcome): void => {
    if (outcome.outcome === 'conflict') metrics.count('RelayConflicts');
    if (outcome.outcome !== 'published') return;
    if (outcome.isRepeated) metrics.count('RelayDuplicates');
    else metrics.count('RelayEventsIn', {}, outcome.events.length);
  };
  const isNews = ({ isRepeated, time }: PublishedEvents) => !isRepeated || clock.now() - time < TOLD_AGAIN_MS;

  return async (author: Author, request: PublishRequest, answer: Answer = async () => {}): Promise<PublishOutcome> => {
    const outcome = await store(author, request);
    count(outcome);
    await Promise.all([
      answer(outcome),
      outcome.outcome === 'published' &&
        isNews(outcome) &&
        delivery.events(author.uid, { ...outcome, stream: request.stream }, author.peerId),
    ]);
    return outcome;
  };
}

export type PublishEvents = ReturnType<typeof createPublish>;
