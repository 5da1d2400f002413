import type { ClientAuth, ClientHello, SealedFrame, ServerHello } from '@autowatering/relay-protocol';

interface Sealed {
  readonly plaintext: string;
  readonly nonce: string;
  readonly frame: SealedFrame;
}

interface Keys {
  readonly c2s: string;
  readonly s2c: string;
  readonly confirm: string;
  readonly rekey: string;
}

/** `test/fixtures/relay/vectors.json`. */
export interface RelayVectors {
  readonly x25519_keys_to_refuse: readonly string[];
  readonly vectors: readonly {
    readonly inputs: {
      readonly peer_id: string;
      readonly uid: string;
      readonly peer_private_key: string;
      readonly peer_public_key: string;
      readonly server_public_key: string;
      readonly server_key_id: string;
      readonly client_ephemeral_private: string;
      readonly client_nonce: string;
      readonly session_id: string;
      readonly client_time: number;
    };
    readonly frames: {
      readonly client_hello: ClientHello;
      readonly server_hello: ServerHello;
      readonly client_auth: ClientAuth;
      readonly sealed_from_server: Sealed;
      readonly sealed_from_client: Sealed;
    };
    readonly intermediate: { readonly th: string; readonly keys: Keys };
    readonly registration: { readonly time: number; readonly proof: string };
    readonly rekey: {
      readonly client_ephemeral_private: string;
      readonly client_ephemeral: string;
      readonly server_ephemeral: string;
      readonly th: string;
      readonly keys: Keys;
      readonly sealed_from_client: Sealed;
    };
  }[];
}
