import { ConflictError, RelayError, type RelayState } from '@autowatering/relay-client';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';

type RefusedReason = Extract<RelayState, { state: 'refused' }>['reason'];

const ANOTHER = 'Register another one: npm run relay -- register --peer <name>, and pass the same --peer here.';

/** What to do when the relay does not let a peer in, and trying again won't help. */
const REFUSED: Readonly<Record<RefusedReason, (file: string) => string>> = {
  revoked: (file) => `The peer of ${file} was revoked. ${ANOTHER}`,
  account_deleted: () => 'The account was deleted.',
  replaced: (file) =>
    `The peer of ${file} connected again elsewhere, and a peer has one connection. For a second terminal, register another peer: npm run relay -- register --peer <name>.`,
  unknown_peer: (file) => `The peer of ${file} does not exist, or was revoked. ${ANOTHER}`,
  token_refused: (file) =>
    `The peer of ${file} gets no token: it was revoked, or belongs to another system. ${ANOTHER}`,
  server_identity: (file) =>
    `The server did not prove to hold one of the server_keys in ${file}: somebody may be in between. If its keys were replaced on purpose, remove "server_keys" from the file.`,
  unsupported: () => 'The server does not speak this version of the protocol. Update this project.',
  no_curves: () => 'This Node lacks Ed25519 or X25519. Install a version that package.json names.',
};

export function refusal(reason: RefusedReason, file: string): RefusedError {
  return new RefusedError(REFUSED[reason](file));
}

/** Returns the sentence for an error of the relay's client; other errors as they are. */
export function relayTrouble(error: unknown, file: string): unknown {
  if (error instanceof ConflictError) {
    const { winner, seq } = error;
    const what = winner === null ? 'An event' : `"${winner.type}" by peer ${winner.peer_id}`;
    return new RefusedError(
      `Conflict: ${what} was published first, as seq ${seq}: ${JSON.stringify(winner?.payload ?? null)}. ` +
        `Merge it with yours, and publish again with --if-seq ${seq}.`,
    );
  }
  if (!(error instanceof RelayError)) return error;
  switch (error.code) {
    case 'token_refused':
      return refusal('token_refused', file);
    case 'malformed':
    case 'too_large':
    case 'limit_reached':
      return new RefusedError(error.message);
    default:
      return new PlainError(error.message);
  }
}
