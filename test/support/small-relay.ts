import {
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import {
  type ClientAuth,
  type ClientHello,
  clientSignedText,
  confirmText,
  type ErrorFrame,
  greetingsTranscript,
  handshakeSalt,
  handshakeTranscript,
  type PeerFrame,
  type PeerView,
  type Publish,
  type RelayEvent,
  rekeyTranscript,
  type ServerFrame,
  serverSignedText,
} from '@autowatering/relay-protocol';
import { keysOf, openText, type PeerKeys, rawOf, sealText } from './relay.ts';

/** The server's end of a wire. */
export interface Wire {
  send(text: string): void;
  close(): void;
}

interface Log {
  epoch: string;
  events: RelayEvent[];
  /** Events up to this seq are gone. */
  goneTo: number;
  readonly authors: Map<string, { clientSeq: number; seqs: { event_id: string; seq: number }[]; next: number }>;
}

interface Session {
  readonly wire: Wire;
  readonly peerId: string;
  readonly id: Buffer;
  readonly generations: PeerKeys[];
  subscribed: '*' | readonly string[];
}

/** What a session is told when it begins; tests make it shorter. */
export interface Terms {
  sessionMs: number;
  heartbeatSeconds: number;
  rekeyAfterSeconds: number;
  pageEvents: number;
}

/**
 * A relay of one account in memory, written against the protocol's description with Node's cryptography: the client's
 * counterpart in its tests. It keeps no secrets and no limits.
 */
export function smallRelay(now: () => number) {
  const identity = generateKeyPairSync('ed25519');
  const keyId = 'small-relay';
  const peers = new Map<string, string>();
  const logs = new Map<string, Log>();
  const sessions = new Map<string, Session>();
  const heard: { readonly peerId: string; readonly frame: PeerFrame }[] = [];
  const nonces = new Set<string>();
  const terms: Terms = { sessionMs: 7_200_000, heartbeatSeconds: 240, rekeyAfterSeconds: 3_600, pageEvents: 7 };
  let refuse: ((peerId: string, frame: PeerFrame) => Omit<ErrorFrame, 'type'> | undefined) | undefined;
  let lost: ServerFrame['type'] | undefined;
  let held: { readonly type: ServerFrame['type']; readonly frames: (() => void)[] } | undefined;
  let established = 0;

  const logOf = (stream: string): Log => {
    const log = logs.get(stream) ?? { epoch: randomUUID(), events: [], goneTo: 0, authors: new Map() };
    logs.set(stream, log);
    return log;
  };
  const headOf = ({ events, goneTo }: Log) => events.at(-1)?.seq ?? goneTo;
  const heads = () => [...logs].map(([stream, log]) => ({ stream, epoch: log.epoch, head: headOf(log) }));
  const views = (): PeerView[] =>
    [...peers.keys()].map((peer_id) => ({
      peer_id,
      name: peer_id,
      type: 'phone',
      online: sessions.has(peer_id),
      last_seen_at: null,
    }));
  const living = (event: RelayEvent) => event.expires_at === undefined || event.expires_at > now();

  const tell = (session: Session, frame: ServerFrame, generation = session.generations.length - 1) => {
    const keys = session.generations[generation];
    if (keys === undefined || frame.type === lost) return;
    const sealed = sealText(keys.s2c, 's2c', session.id, generation, JSON.stringify(frame), randomBytes(12));
    const send = () => session.wire.send(JSON.stringify(sealed));
    if (frame.type === held?.type) held.frames.push(send);
    else send();
  };
  const tellOthers = (peerId: string, frame: ServerFrame, stream?: string) => {
    for (const session of sessions.values()) {
      const wants = stream === undefined || session.subscribed === '*' || session.subscribed.includes(stream);
      if (session.peerId !== peerId && wants) tell(session, frame);
    }
  };
  const bye = (session: Session, code: 'replaced' | 'revoked' | 'shutdown' | 'expired', retry_after?: number) => {
    tell(session, { type: 'bye', code, reason: code, ...(retry_after === undefined ? {} : { retry_after }) });
    session.wire.close();
    if (sessions.get(session.peerId) === session) sessions.delete(session.peerId);
  };

  function publish(session: Session, frame: Publish): ServerFrame {
    const { id, stream, client_seq, events, if_seq } = frame;
    const error = (rest: Omit<ErrorFrame, 'type' | 'id' | 'message'>): ErrorFrame => ({
      type: 'error',
      id,
      message: rest.code,
      ...rest,
    });
    const log = logOf(stream);
    const author = log.authors.get(session.peerId);
    const time = now();
    if (author !== undefined && author.clientSeq === client_seq && author.next === client_seq + events.length) {
      return { type: 'published', id, epoch: log.epoch, events: author.seqs, time };
    }
    const expected = author?.next ?? 1;
    if (client_seq !== expected) return error({ code: 'client_seq_expected', expected });
    if (if_seq !== undefined) {
      const key = events[0]?.key;
      const newest = key === undefined ? log.events.at(-1) : log.events.findLast((event) => event.key === key);
      const seq = newest?.seq ?? 0;
      if (seq !== if_seq) return error({ code: 'conflict', event: newest ?? null, seq });
    }
    const stored = events.map(
      ({ ttl_seconds, ...event }, index): RelayEvent => ({
        ...event,
        seq: headOf(log) + 1 + index,
        peer_id: session.peerId,
        client_seq: client_seq + index,
        received_at: time,
        ...(ttl_seconds === undefined ? {} : { expires_at: time + ttl_seconds * 1000 }),
      }),
    );
    log.events.push(...stored);
    const seqs = stored.map(({ event_id, seq }) => ({ event_id, seq }));
    log.authors.set(session.peerId, { clientSeq: client_seq, seqs, next: client_seq + events.length });
    for (const event of stored) {
      tellOthers(session.peerId, { type: 'event', stream, epoch: log.epoch, event }, stream);
    }
    return { type: 'published', id, epoch: log.epoch, events: seqs, time };
  }

  /** What is behind `after`, or why that can't be read. */
  function pageOf(id: number, stream: string, epoch: string, after: number): ServerFrame {
    const log = logs.get(stream);
    if (log === undefined) return { type: 'error', id, code: 'not_found', message: 'not_found' };
    if (epoch !== log.epoch || after < log.goneTo) {
      return { type: 'reset', id, stream, epoch: log.epoch, head: headOf(log), oldest: log.goneTo + 1 };
    }
    const rest = log.events.filter((event) => event.seq > after && living(event));
    const events = rest.slice(0, terms.pageEvents);
    const last = events.at(-1)?.seq;
    const isLast = rest.length === events.length || last === undefined;
    return { type: 'events', id, stream, epoch, events, ...(isLast ? {} : { continuation: String(last) }) };
  }

  function receive(session: Session, frame: PeerFrame) {
    heard.push({ peerId: session.peerId, frame });
    const refusal = refuse?.(session.peerId, frame);
    if (refusal !== undefined) {
      const id = 'id' in frame ? { id: frame.id } : {};
      return tell(session, { ...refusal, ...id, type: 'error' });
    }
    switch (frame.type) {
      case 'publish':
        return tell(session, publish(session, frame));
      case 'subscribe': {
        session.subscribed = frame.streams === '*' ? '*' : frame.streams.map(({ stream }) => stream);
        for (const { stream, epoch, after = 0 } of frame.streams === '*' ? [] : frame.streams) {
          if (epoch === undefined) continue;
          let page = pageOf(frame.id, stream, epoch, after);
          while (page.type === 'events' && page.events.length > 0) {
            tell(session, page);
            page = pageOf(frame.id, stream, epoch, page.events.at(-1)?.seq ?? 0);
          }
          if (page.type === 'reset') tell(session, page);
        }
        return tell(session, { type: 'subscribed', id: frame.id, streams: heads() });
      }
      case 'replay': {
        const { id, stream, epoch, after, continuation } = frame;
        return tell(session, pageOf(id, stream, epoch, continuation === undefined ? after : Number(continuation)));
      }
      case 'snapshot': {
        const log = logOf(frame.stream);
        const byKey = new Map(log.events.filter(living).flatMap((event) => (event.key ? [[event.key, event]] : [])));
        const events = [...byKey.values()];
        const { id, stream } = frame;
        return tell(session, { type: 'snapshot', id, stream, epoch: log.epoch, head: headOf(log), events });
      }
      case 'ping':
        return tell(session, { type: 'pong', id: frame.id, time: now(), heads: heads() });
      case 'peers':
        return tell(session, { type: 'peers', id: frame.id, peers: views() });
      case 'rekey': {
        const ephemeral = generateKeyPairSync('x25519');
        const [from, generation] = [session.generations.at(-1), session.generations.length];
        if (from === undefined) return;
        const own = rawOf(ephemeral.publicKey);
        const th = sha256(rekeyTranscript(from.th, Buffer.from(frame.ephemeral_key, 'base64url'), own));
        session.generations.push(keysOf(hmac(from.rekey, shared(ephemeral.privateKey, frame.ephemeral_key)), th));
        const ephemeral_key = own.toString('base64url');
        return tell(session, { type: 'rekeyed', generation, ephemeral_key }, generation - 1);
      }
      default:
    }
  }

  function establish(wire: Wire, peerId: string, id: Buffer, keys: PeerKeys): Session {
    const session: Session = { wire, peerId, id, generations: [keys], subscribed: [] };
    const last = sessions.get(peerId);
    sessions.set(peerId, session);
    if (last !== undefined) bye(last, 'replaced');
    established += 1;
    tell(session, {
      type: 'session_established',
      session_id: id.toString('base64url'),
      peer_id: peerId,
      expires_at: now() + terms.sessionMs,
      heartbeat_seconds: terms.heartbeatSeconds,
      rekey_after_seconds: terms.rekeyAfterSeconds,
      max_frame_bytes: 32 * 1024,
      streams: heads(),
      peers: views(),
    });
    tellOthers(peerId, { type: 'presence', peer_id: peerId, online: true, last_seen_at: now() });
    return session;
  }

  /** A connection, from its handshake on. */
  function accept(wire: Wire): { receive(text: string): void; closed(): void } {
    let session: Session | undefined;
    let proven: { hello: ClientHello; th: Buffer; keys: PeerKeys; id: Buffer } | undefined;
    const refused = (error: Omit<ErrorFrame, 'type' | 'message'>) => {
      wire.send(JSON.stringify({ type: 'error', message: error.code, ...error }));
      wire.close();
    };
    const greet = (hello: ClientHello) => {
      const publicKey = peers.get(hello.peer_id);
      if (Math.abs(hello.time - now()) > 300_000) return refused({ code: 'clock_skew', time: now() });
      if (publicKey === undefined) return refused({ code: 'unknown_peer' });
      if (nonces.has(hello.client_nonce)) return refused({ code: 'nonce_reused' });
      nonces.add(hello.client_nonce);
      const [id, serverNonce, ephemeral, time] = [
        randomBytes(16),
        randomBytes(32),
        generateKeyPairSync('x25519'),
        now(),
      ];
      const clientNonce = Buffer.from(hello.client_nonce, 'base64url');
      const t1 = greetingsTranscript({
        peerId: hello.peer_id,
        peerPublicKey: Buffer.from(publicKey, 'base64url'),
        clientNonce,
        clientEphemeral: Buffer.from(hello.ephemeral_key, 'base64url'),
        clientTime: hello.time,
        sessionId: id,
        serverNonce,
        serverEphemeral: rawOf(ephemeral.publicKey),
        serverKeyId: keyId,
        serverTime: time,
      });
      const signature = sign(null, serverSignedText(sha256(t1)), identity.privateKey);
      const th = sha256(handshakeTranscript(t1, signature));
      const prk = hmac(handshakeSalt(clientNonce, serverNonce), shared(ephemeral.privateKey, hello.ephemeral_key));
      proven = { hello, th, keys: keysOf(prk, th), id };
      wire.send(
        JSON.stringify({
          type: 'server_hello',
          version: 1,
          session_id: id.toString('base64url'),
          server_nonce: serverNonce.toString('base64url'),
          ephemeral_key: rawOf(ephemeral.publicKey).toString('base64url'),
          cipher_suite: 'A256GCM',
          server_key_id: keyId,
          time,
          signature: signature.toString('base64url'),
        }),
      );
    };
    const authenticate = ({ signature, mac }: ClientAuth) => {
      if (proven === undefined) return refused({ code: 'out_of_turn' });
      const { hello, th, keys, id } = proven;
      const signed = Buffer.from(signature, 'base64url');
      const key = ed25519(peers.get(hello.peer_id) ?? '');
      const expected = hmac(keys.confirm, confirmText(hello.peer_id, new Uint8Array(signed)));
      if (!verify(null, clientSignedText(th), key, signed) || expected.toString('base64url') !== mac) {
        return refused({ code: 'bad_signature' });
      }
      session = establish(wire, hello.peer_id, id, keys);
    };
    return {
      receive(text) {
        const frame = JSON.parse(text);
        if (session !== undefined) {
          const keys = session.generations[frame.g];
          if (keys !== undefined) receive(session, JSON.parse(openText(keys.c2s, 'c2s', session.id, frame)));
        } else if (frame.type === 'client_hello' && proven === undefined) greet(frame);
        else if (frame.type === 'client_auth') authenticate(frame);
        else refused({ code: 'out_of_turn' });
      },
      closed() {
        if (session !== undefined && sessions.get(session.peerId) === session) {
          sessions.delete(session.peerId);
          tellOthers(session.peerId, { type: 'presence', peer_id: session.peerId, online: false, last_seen_at: now() });
        }
      },
    };
  }

  return {
    serverKeys: { [keyId]: rawOf(identity.publicKey).toString('base64url') },
    terms,
    /** Frames that peers sent in their sessions. */
    heard,
    accept,
    addPeer: (peerId: string, publicKey: string) => peers.set(peerId, publicKey),
    removePeer: (peerId: string) => peers.delete(peerId),
    /** Refuses frames with an error, for as long as it is set. */
    refuseFrames(by: typeof refuse) {
      refuse = by;
    },
    log: (stream: string): readonly RelayEvent[] => logs.get(stream)?.events ?? [],
    epoch: (stream: string) => logs.get(stream)?.epoch,
    sessionsSoFar: () => established,
    /** Of the sessions that last. */
    generations: () => [...sessions.values()].map(({ generations }) => generations.length - 1),
    /** Frames of this type are not sent from now on. */
    loseFrames(type: ServerFrame['type'] | undefined) {
      lost = type;
    },
    /** Frames of this type are overtaken by all others, until the returned function is called. */
    holdFrames(type: ServerFrame['type']): () => void {
      const frames: (() => void)[] = [];
      held = { type, frames };
      return () => {
        held = undefined;
        for (const send of frames) send();
      };
    },
    isOnline: (peerId: string) => sessions.has(peerId),
    bye(peerId: string, code: Parameters<typeof bye>[1], retryAfter?: number) {
      const session = sessions.get(peerId);
      if (session !== undefined) bye(session, code, retryAfter);
    },
    /** The connection ends without a word. */
    drop(peerId: string) {
      sessions.get(peerId)?.wire.close();
    },
    /** The oldest events are no longer kept. */
    forget(stream: string, goneTo: number) {
      const log = logOf(stream);
      log.goneTo = goneTo;
      log.events = log.events.filter(({ seq }) => seq > goneTo);
    },
    /** The stream is deleted, or with `events` restored from a backup of the first ones. */
    beginAnew(stream: string, events = 0) {
      const last = logs.get(stream);
      logs.delete(stream);
      if (events === 0 || last === undefined) return;
      const log = logOf(stream);
      log.events = last.events.slice(0, events);
      for (const event of log.events) {
        const seqs = [{ event_id: event.event_id, seq: event.seq }];
        log.authors.set(event.peer_id, { clientSeq: event.client_seq, seqs, next: event.client_seq + 1 });
      }
    },
    /** To everybody who is online, whether true or not. */
    tellAll: (frame: ServerFrame) => tellOthers('', frame),
  };
}

export type SmallRelay = ReturnType<typeof smallRelay>;

const ed25519 = (raw: string): KeyObject => publicKeyOf('302a300506032b6570032100', raw);

function publicKeyOf(prefix: string, raw: string): KeyObject {
  const der = Buffer.from(prefix + Buffer.from(raw, 'base64url').toString('hex'), 'hex');
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

const shared = (privateKey: KeyObject, raw: string): Buffer =>
  diffieHellman({ privateKey, publicKey: publicKeyOf('302a300506032b656e032100', raw) });

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const hmac = (key: Uint8Array, text: Uint8Array): Buffer => createHmac('sha256', key).update(text).digest();
