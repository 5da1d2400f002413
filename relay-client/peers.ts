import type { PeerView, ServerFrame } from '@autowatering/relay-protocol';

/** The account's peers, by the server's last word. */
export class PeerList {
  #peers = new Map<string, PeerView>();

  get all(): readonly PeerView[] {
    return [...this.#peers.values()];
  }

  set(peers: readonly PeerView[]): void {
    this.#peers = new Map(peers.map((peer) => [peer.peer_id, peer]));
  }

  /** @returns whether something changed */
  frame(frame: ServerFrame): boolean {
    if (frame.type === 'presence') {
      const { peer_id, online, last_seen_at } = frame;
      const known = this.#peers.get(peer_id);
      if (known === undefined) return false;
      this.#peers.set(peer_id, { ...known, online, last_seen_at });
      return true;
    }
    if (frame.type !== 'peer_changed') return false;
    const { peer_id, change, name, peer_type: type } = frame;
    const { online, last_seen_at } = this.#peers.get(peer_id) ?? { online: false, last_seen_at: null };
    if (change === 'revoked') this.#peers.delete(peer_id);
    else this.#peers.set(peer_id, { peer_id, name, type, online, last_seen_at });
    return true;
  }
}
