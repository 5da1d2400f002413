import type { RelayClientOptions } from '@autowatering/relay-client';
import { onTestFinished, vi } from 'vitest';
import { peerOf } from './relay-peers.ts';
import { type Faults, fastClock, wiresTo } from './relay-wires.ts';
import { smallRelay } from './small-relay.ts';

/** A small relay and the peers of an account, whose applications end with the test. */
export function smallAccount(clock = fastClock(20), faults?: Faults) {
  const relay = smallRelay(clock.now);
  const wires = wiresTo(relay, faults);
  const peer = async (options: Partial<RelayClientOptions> = {}) => {
    const made = await peerOf(relay, wires.openSocket, { clock, ...options });
    const start = (more?: Partial<RelayClientOptions>) => {
      const started = made.start(more);
      onTestFinished(() => started.client.close());
      return started;
    };
    return { ...made, start, ...start() };
  };
  return { relay, wires, clock, peer };
}

export const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
