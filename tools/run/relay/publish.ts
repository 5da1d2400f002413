import { text } from 'node:stream/consumers';
import type { EventDraft, Json, Publication, RelayClient } from '@autowatering/relay-client';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError, UsageError } from '../../cli/plain-error.ts';
import type { Target } from '../../cli/target/target.ts';
import { wholeNumber, wholeNumberUpTo } from '../../cli/terminal/number-arguments.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { connectedPeer } from './connected-peer.ts';
import { type KnownPeer, knownPeer, type RelayOptions, relayOptions, relayTarget } from './relay-options.ts';
import { refusal, relayTrouble } from './relay-trouble.ts';

interface PublishOptions extends RelayOptions {
  readonly type: string;
  readonly eventKey?: string;
  readonly ifSeq?: number;
  readonly ttl?: number;
  readonly timeout: number;
}

/** Publishes events, each exactly once. */
export function publishCommand(signal: AbortSignal): Command {
  return relayOptions(new Command('publish'))
    .description('Publishes an event to a stream, or a file of them.')
    .argument('<stream>', 'its name; the first event makes it')
    .argument('<payload>', 'JSON, or - for one JSON payload per line of the standard input')
    .option('--type <type>', "the events' type", 'note')
    .option('--event-key <key>', 'what the events are about, as zone-1')
    .option(
      '--if-seq <seq>',
      'only if this is still the newest event of its key (without one: of the stream)',
      wholeSeq,
    )
    .option('--ttl <seconds>', 'how long the events are worth delivering', wholeNumber)
    .option('--timeout <seconds>', 'how long to try without a connection', wholeNumberUpTo(86_400), 30)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run relay -- publish notes \'"hello"\'\n' +
        '  npm run relay -- publish zones \'{"minutes":10}\' --type zone.changed --event-key zone-1 --if-seq 4\n' +
        '  npm run relay -- publish readings - --type reading < readings.jsonl\n\n' +
        'Exit code 3 on a conflict: somebody else published first.\n',
    )
    .action(async (stream: string, payload: string, options: PublishOptions) => {
      const payloads = payload === '-' ? await payloadLines() : [jsonOf(payload, 'The payload')];
      if (options.ifSeq !== undefined && payloads.length !== 1) throw new UsageError('--if-seq is for one event.');
      const target = await relayTarget(options, signal, true);
      await publishAll(target, await knownPeer(target, options), stream, payloads, options, signal);
    });
}

const Payload: z.ZodType<Json> = z.json();

function jsonOf(source: string, what: string): Json {
  try {
    return Payload.parse(JSON.parse(source));
  } catch {
    throw new UsageError(`${what} is not JSON. Text needs quotes of its own, as in '"hello"'.`);
  }
}

async function payloadLines(): Promise<readonly Json[]> {
  const lines = (await text(process.stdin)).split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new UsageError('The standard input has no line to publish.');
  return lines.map((line, index) => jsonOf(line, `Line ${index + 1} of the standard input`));
}

function wholeSeq(source: string): number {
  return source === '0' ? 0 : wholeNumber(source);
}

async function publishAll(
  target: Target,
  known: KnownPeer,
  stream: string,
  payloads: readonly Json[],
  options: PublishOptions,
  signal: AbortSignal,
): Promise<void> {
  const client = connectedPeer(target, known);
  const draft = (payload: Json): EventDraft => ({
    type: options.type,
    payload,
    ...(options.eventKey === undefined ? {} : { key: options.eventKey }),
    ...(options.ttl === undefined ? {} : { ttl_seconds: options.ttl }),
  });
  const condition = options.ifSeq === undefined ? {} : { ifSeq: options.ifSeq };
  const display = progressDisplay(options.json || payloads.length === 1 ? 'silent' : 'people');
  let stored = 0;
  const report = ({ epoch, seq, event_id }: Publication) => {
    if (options.json) console.log(JSON.stringify({ stream, epoch, seq, event_id }));
    else if (payloads.length === 1) console.log(`${stream} ${seq}`);
  };
  try {
    await display.bar(`Publishing ${payloads.length} events`, payloads.length, async (advanceTo) => {
      const gaveUp = givingUp(client, known.file, options.timeout, signal);
      const publications = payloads.map(async (payload) => {
        const publication = await client.publish(stream, draft(payload), condition);
        gaveUp.progressed();
        stored += 1;
        advanceTo(stored);
        return publication;
      });
      for (const publication of publications) {
        publication.catch(() => {});
      }
      try {
        for (const publication of publications) report(await Promise.race([publication, gaveUp.promise]));
      } finally {
        gaveUp.stop();
      }
    });
  } catch (error) {
    const known_ = relayTrouble(error, known.file);
    if (payloads.length > 1) console.error(`${stored} of ${payloads.length} events were published.`);
    throw known_;
  } finally {
    client.close();
  }
  if (!options.json && payloads.length > 1) display.done(`${stream}: ${stored} events`);
}

/** Rejects when the peer is refused, or there was no progress for so long, or by Ctrl-C. */
function givingUp(client: RelayClient, file: string, seconds: number, signal: AbortSignal) {
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  promise.catch(() => {});
  const timer = setTimeout(() => {
    const { state } = client;
    const why =
      state.state === 'offline' ? `there is no connection (${state.message ?? state.reason})` : 'there was no answer';
    fail(new PlainError(`Not published within ${seconds} s: ${why}. Pass --timeout to wait longer.`));
  }, seconds * 1000);
  const off = client.on('state', (state) => {
    if (state.state === 'refused') fail(refusal(state.reason, file));
  });
  const abort = () => fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return {
    promise,
    progressed: () => timer.refresh(),
    stop() {
      clearTimeout(timer);
      off();
      signal.removeEventListener('abort', abort);
    },
  };
}
