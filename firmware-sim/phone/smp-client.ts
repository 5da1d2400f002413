import { LinkLostError, type Transport } from '../link/transport.ts';
import { type CborFields, type CborMap, decodeFields, encodeDefinite } from '../smp/cbor.ts';
import { describeSmpError } from '../smp/errors.ts';
import { decodeSmpHeader, encodePacket, OP, SMP_HEADER_BYTES } from '../smp/header.ts';
import { realTime, type Scheduler, type Timer } from '../time/scheduler.ts';

/** The device understood the request and said no. */
export class SmpError extends Error {
  override readonly name = 'SmpError';
  /** The group whose error it is; undefined for an SMP-level one. */
  readonly group: number | undefined;
  readonly rc: number;

  constructor(group: number | undefined, rc: number) {
    super(describeSmpError(group, rc));
    this.group = group;
    this.rc = rc;
  }
}

/** Nothing came back in time. */
export class SmpTimeoutError extends Error {
  override readonly name = 'SmpTimeoutError';
}

export interface SmpRequest {
  readonly op: 'read' | 'write';
  readonly group: number;
  readonly command: number;
  readonly fields?: CborMap;
  /** Milliseconds from when the request has left; the first chunk of an upload needs long, because the device erases (facts sheet, C5). */
  readonly timeoutMs?: number;
}

/** The device answered in a form that this client does not read. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

export interface SmpClientOptions {
  /** Of the protocol: 0 is "v1", 1 is "v2", the default. */
  readonly version?: 0 | 1;
  /** CBOR that it reads in answers: any, unless it knows definite lengths only. */
  readonly accepts?: 'any' | 'definite';
}

const TIMEOUT_MS = 2_500;

interface Waiting {
  resolve(fields: CborFields): void;
  reject(error: Error): void;
}

/** The client's side of SMP over one connection: matches answers to requests by their sequence number. */
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

  /** What one write carries. */
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
        // What still waits to be sent can not be answered: the limit counts from when it has left.
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

/** A request as bytes; in the second version of the protocol unless told otherwise. */
export function encodeRequest(request: SmpRequest, sequence: number, version: 0 | 1 = 1): Uint8Array {
  const { op, group, command, fields = {} } = request;
  return encodePacket({ op: OP[op], version, group, sequence, command }, encodeDefinite(fields));
}

/** Both shapes of an error may come (facts sheet, A3). */
function errorIn(fields: CborFields): SmpError | undefined {
  const grouped = fields.get('err');
  if (grouped instanceof Map) return new SmpError(Number(grouped.get('group')), Number(grouped.get('rc')));
  const rc = fields.get('rc');
  return typeof rc === 'number' && rc !== 0 ? new SmpError(undefined, rc) : undefined;
}
