import type { UserClaims } from '../platform/aws/cognito/cognito-tokens.ts';
import type { PeerId, Uid } from '../platform/ids.ts';

/** Who may call. `cognito-optional` allows anonymous callers but rejects bad tokens; `stripe` checks a signature. */
export type Auth = 'public' | 'cognito' | 'cognito-optional' | 'factory' | 'admin' | 'stripe';

export type User = { readonly kind: 'user' } & UserClaims;
/** One of a user's own installations, by a token of the relay; it is no sign-in of the user's. */
export interface PeerCaller {
  readonly kind: 'peer';
  readonly uid: Uid;
  readonly peerId: PeerId;
}
/** Stripe, with the JSON it signed; there is no separate body. */
export type StripeCaller = { readonly kind: 'stripe'; readonly payload: unknown };
/** A factory station, under the name it reports. */
export type FactoryCaller = { readonly kind: 'factory'; readonly station: string };
export type Caller = { readonly kind: 'anonymous' | 'admin' } | User | PeerCaller | FactoryCaller | StripeCaller;

/** Whether the caller acts for a user: the user, or one of the user's peers. */
export function isPersonal(caller: Caller): caller is User | PeerCaller {
  return caller.kind === 'user' || caller.kind === 'peer';
}

/** The callers that the guard lets through to a route of each kind. */
export interface CallerByAuth {
  readonly public: { readonly kind: 'anonymous' };
  readonly cognito: User;
  readonly 'cognito-optional': User | { readonly kind: 'anonymous' };
  readonly factory: FactoryCaller;
  readonly admin: { readonly kind: 'admin' };
  readonly stripe: StripeCaller;
}

const CALLER_KINDS: { readonly [A in Auth]: readonly Caller['kind'][] } = {
  public: ['anonymous'],
  cognito: ['user'],
  'cognito-optional': ['user', 'anonymous'],
  factory: ['factory'],
  admin: ['admin'],
  stripe: ['stripe'],
};

/** Whether the guard of such a route lets such a caller through. */
export function isExpected(
  caller: Caller,
  { auth, openToPeers = false }: { readonly auth: Auth; readonly openToPeers?: boolean },
): boolean {
  return caller.kind === 'peer' ? openToPeers : CALLER_KINDS[auth].includes(caller.kind);
}
