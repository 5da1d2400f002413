import { LinkLostError, type Transport } from '../link/transport.ts';
import { type CborFields, type CborMap, decodeFields, encodeDefinite } from '../smp/cbor.ts';
import { describeSmpError } from '../smp/errors.ts';
import { decodeSmpHeader, encodePacket, OP, SMP_HEADER_BYTES } from '../smp/header.ts';
import { realTime, type Scheduler, type Timer } from '../time/scheduler.ts';

/** The device understood the request and refused it. */
export class SmpError extends Error {
  override readonly name = 'SmpError';
  /** The group whose error it is; undefined for an SMP-level error. */
  readonly group: number | undefined;
  readonly rc: number;

  constructor(group: number | undefined, rc: number) {
    super(describeSmpError(group, rc));
    this.group = group;
    this.rc = rc;
  }
}

/** No answer came in time. */
export class SmpTimeoutError extends Error {
  override readonly name = 'SmpTimeoutError';
}

export interface SmpRequest {
  readonly op: 'read' | 'write';
  readonly group: number;
  readonly command: number;
  readonly fields?: CborMap;
  /**
   * Milliseconds after the request has left. The first chunk of an upload needs long, because the device erases (facts
   * sheet, C5).
   */
  readonly timeoutMs?: number;
}

/** The device answered in an encoding that this client does not read. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

export interface SmpClientOptions {
  /** Protocol version: 0 is "v1", 1 is "v2", the default. */
  readonly version?: 0 | 1;
  /** CBOR that it reads in answers: any, or only definite lengths. */
  readonly accepts?: 'any' | 'definite';
}

const TIMEOUT_MS = 2_500;

interface Waiting {
  resolve(fields: CborFields): void;
  reject(error: Error): void;
}

/** The client side of SMP over one connection. Matches answers to requests by sequence number. */
export class SmpClient {
  readonly #transport: Transport;
  readonly #time: Scheduler;
  readonly #options: SmpClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;
  #isClosed = false;

  constructor(transport: Transport, time: Scheduler = realTime, options: SmpClientOptions = {}) {
    this.#transport = transport;
    this.#time = time;
    this.#options = options;
    transport.onPacket((packet) => this.#receive(packet));
    transport.onClose(() => {
      this.#isClosed = true;
      for (const waiting of this.#waiting.values()) waiting.reject(new LinkLostError('the connection was lost'));
      this.#waiting.clear();
    });
  }

  /** Bytes per write. */
  get writeBytes(): number {
    return this.#transport.writeBytes;
  }

  get largestPacket(): number {
    return this.#transport.largestPacket;
  }

  close(): void {
    this.#transport.close();
  }

  /** @throws SmpError, SmpTimeoutError, UnreadableAnswerError or LinkLostError */
  async request(request: SmpRequest): Promise<CborFields> {
    if (this.#isClosed) throw new LinkLostError('the connection is closed');
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) % 256;
    const packet = encodeRequest(request, sequence, this.#options.version);
    let timer: Timer | undefined;
    try {
      return await new Promise<CborFields>((resolve, reject) => {
        this.#waiting.set(sequence, { resolve, reject });
        // A request that still waits to be sent can't be answered yet: the timeout starts once it has left.
        this.#transport.send(packet, () => {
          timer = this.#time.after(request.timeoutMs ?? TIMEOUT_MS, () => {
            reject(new SmpTimeoutError(`no answer to group ${request.group} command ${request.command}`));
          });
        });
      });
    } finally {
      timer?.cancel();
      this.#waiting.delete(sequence);
    }
  }

  #receive(packet: Uint8Array): void {
    const header = decodeSmpHeader(packet);
    const waiting = header === undefined ? undefined : this.#waiting.get(header.sequence);
    if (header === undefined || waiting === undefined) return;
    const payload = packet.subarray(SMP_HEADER_BYTES, SMP_HEADER_BYTES + header.length);
    const { accepts = 'any' } = this.#options;
    const fields = decodeFields(payload, accepts);
    if (fields === undefined) waiting.reject(new UnreadableAnswerError(UNREADABLE[accepts]));
    else {
      const error = errorIn(fields);
      if (error === undefined) waiting.resolve(fields);
      else waiting.reject(error);
    }
  }
}

const UNREADABLE = {
  any: 'the answer is not CBOR',
  definite: 'the answer is not CBOR with definite lengths',
} as const;

/** Encodes a request, by default for the second version of the protocol. */
export function encodeRequest(request: SmpRequest, sequence: number, version: 0 | 1 = 1): Uint8Array {
  const { op, group, command, fields = {} } = request;
  return encodePacket({ op: OP[op], version, group, sequence, command }, encodeDefinite(fields));
}

/** An error may come in either form (facts sheet, A3). */
function errorIn(fields: CborFields): SmpError | undefined {
  const grouped = fields.get('err');
  if (grouped instanceof Map) return new SmpError(Number(grouped.get('group')), Number(grouped.get('rc')));
  const rc = fields.get('rc');
  return typeof rc === 'number' && rc !== 0 ? new SmpError(undefined, rc) : undefined;
}
