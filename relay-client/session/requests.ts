import type {
  ErrorFrame,
  Events,
  FrameId,
  PeerFrame,
  Peers,
  Pong,
  Published,
  Reset,
  ServerFrame,
  SnapshotPage,
  Subscribed,
} from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';

/** What ends each request that is answered. */
export interface Answers {
  readonly publish: Published;
  readonly subscribe: Subscribed;
  readonly replay: Events | Reset;
  readonly snapshot: SnapshotPage;
  readonly ping: Pong;
  readonly peers: Peers;
}

const ENDS: { readonly [Type in keyof Answers]: (frame: ServerFrame) => frame is Answers[Type] } = {
  publish: (frame) => frame.type === 'published',
  subscribe: (frame) => frame.type === 'subscribed',
  replay: (frame): frame is Events | Reset => frame.type === 'events' || frame.type === 'reset',
  snapshot: (frame) => frame.type === 'snapshot',
  ping: (frame) => frame.type === 'pong',
  peers: (frame) => frame.type === 'peers',
};

const ANSWER_MS = 10_000;

/** The server refused a request, for this reason. */
export class RefusedRequest extends RelayError {
  readonly frame: ErrorFrame;

  constructor(frame: ErrorFrame) {
    super(frame.code, frame.message, { time: frame.time, retryAfter: frame.retry_after });
    this.frame = frame;
  }
}

interface Pending {
  /** Whether the frame was the answer. */
  take(frame: ServerFrame): boolean;
  reject(error: RelayError): void;
}

/** Requests of one link that wait for their answers. */
export class Requests {
  readonly #clock: Clock;
  readonly #onSilence: () => void;
  readonly #pending = new Map<FrameId, Pending>();
  #lastId = 0;
  #heard = 0;

  /** @param onSilence called when an answer is overdue, and nothing else came either */
  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
  }

  /** Something arrived: the connection is alive. */
  heard(): void {
    this.#heard += 1;
  }

  add<Type extends keyof Answers>(
    type: Type,
    frameOf: (id: FrameId) => PeerFrame,
  ): { readonly frame: PeerFrame; readonly answer: Promise<Answers[Type]> } {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Answers[Type]>((resolve, reject) => {
      const heard = this.#heard;
      const cancel = this.#clock.after(ANSWER_MS, () => {
        this.#pending.delete(id);
        reject(new RelayError('lost', `No answer to ${type} in time.`));
        if (heard === this.#heard) this.#onSilence();
      });
      const settle = () => {
        cancel();
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        take(frame) {
          if (frame.type === 'error') {
            settle();
            reject(new RefusedRequest(frame));
            return true;
          }
          if (!ENDS[type](frame)) return false;
          settle();
          resolve(frame);
          return true;
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
    });
    return { frame: frameOf(id), answer };
  }

  /** Gives a frame to the request that it answers; false if there is none. */
  answered(frame: ServerFrame): boolean {
    const id = 'id' in frame ? frame.id : undefined;
    return id !== undefined && this.#pending.get(id)?.take(frame) === true;
  }

  /** The connection is over: nothing will be answered. */
  abandon(): void {
    for (const { reject } of [...this.#pending.values()]) reject(new RelayError('lost', 'The connection ended.'));
  }
}
