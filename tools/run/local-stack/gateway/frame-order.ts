import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayManners } from './manners.ts';

/** How long frames are collected that are then handled in random order. */
const SHUFFLE_MS = 5;

export interface FrameOrder {
  /** Runs the work when the manners of this moment say so. The work handles its own errors. */
  add(work: () => Promise<void>): void;
}

/** The order in which one connection's frames reach the function. */
export function createFrameOrder(manners: () => GatewayManners): FrameOrder {
  let tail: Promise<void> | undefined;
  let collected: (() => Promise<void>)[] = [];

  const runCollected = async () => {
    await delay(SHUFFLE_MS);
    const works = collected;
    collected = [];
    const { random } = manners();
    const shuffled = works.map((work) => ({ work, at: random() })).sort((a, b) => a.at - b.at);
    await Promise.all(shuffled.map(({ work }) => work()));
  };

  return {
    add(work) {
      switch (manners().order) {
        case 'at-once':
          void work();
          return;
        case 'shuffled':
          collected.push(work);
          if (collected.length === 1) void runCollected();
          return;
        case 'in-turn': {
          const turn: Promise<void> = (tail ?? Promise.resolve()).then(work).finally(() => {
            // Nothing is kept for a connection that is quiet.
            if (tail === turn) tail = undefined;
          });
          tail = turn;
        }
      }
    },
  };
}
