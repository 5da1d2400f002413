import { fromBase64Url, type Rekey } from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import type { Stores } from './ending.ts';
import type { RefusalCode } from './handshake-table.ts';
import { createEphemeralKey, nextKeys, type SessionKeys, sharedSecret } from './keys/key-schedule.ts';
import { sessionOf, wrapGeneration } from './keys/session-keys.ts';
import type { SessionNeeds } from './needs.ts';
import { sendSealed } from './send.ts';
import type { EstablishedConnection } from './store/connection-record.ts';

type Needed = Pick<Services, 'clock' | 'randomness'>;

/** Begins the next generation of a session's keys. Returns what was wrong with the peer's frame, if anything was. */
export function createRekey(
  { clock, randomness }: Needed,
  needs: Pick<SessionNeeds, 'connections'>,
  { sessions, keyWrap }: Pick<Stores, 'sessions' | 'keyWrap'>,
) {
  return async (
    record: EstablishedConnection,
    keys: SessionKeys,
    { ephemeral_key: theirs }: Rekey,
  ): Promise<RefusalCode | undefined> => {
    const clientEphemeral = fromBase64Url(theirs);
    if (clientEphemeral === undefined) return 'malformed';
    const ephemeral = createEphemeralKey();
    const secret = sharedSecret(ephemeral.privateKey, clientEphemeral);
    if (secret === undefined) return 'bad_key';
    const next = nextKeys(keys, clientEphemeral, ephemeral.publicKey, secret);
    const generation = record.generation + 1;
    const wrapped = await wrapGeneration(keyWrap, record.connectionId, generation, next);
    const hasBegun = await sessions.rekey(record, { ...wrapped, th: next.th }, clock.now());
    if (!hasBegun) return 'out_of_turn';
    // With the old keys: the peer can't have the new ones before this.
    await sendSealed(needs.connections, randomness, sessionOf(record, keys), {
      type: 'rekeyed',
      generation,
      ephemeral_key: ephemeral.publicKey.toString('base64url'),
    });
    return undefined;
  };
}
