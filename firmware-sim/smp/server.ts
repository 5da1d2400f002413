import {
  type CborFields,
  type CborLengths,
  type CborMap,
  decodeFields,
  encodeDefinite,
  encodeIndefinite,
} from './cbor.ts';
import { MGMT, v1ErrorOf } from './errors.ts';
import { decodeSmpHeader, encodePacket, OP, SMP_HEADER_BYTES, type SmpHeader } from './header.ts';

export type CommandResult =
  | { readonly fields: CborMap }
  /** An SMP-level failure. */
  | { readonly rc: number }
  /** A failure of the command's own group. */
  | { readonly error: number };

export interface Command {
  /** Whether the payload is decoded. It must then be at least an empty map (facts sheet, A8). */
  readonly decodes: boolean;
  /** @param payload the raw payload, for commands that read it although they do not require CBOR */
  run(fields: CborFields, payload: Uint8Array): CommandResult;
}

export interface SmpGroup {
  readonly id: number;
  /** Commands by id, for reads and for writes. */
  readonly read: Readonly<Record<number, Command>>;
  readonly write: Readonly<Record<number, Command>>;
}

export interface SmpServerOptions {
  readonly groups: readonly SmpGroup[];
  /** `CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE`: the longest packet in either direction, header included. */
  readonly bufferBytes: number;
  /** How it encodes answers. The default, `definite`, also accepts nothing else in requests. */
  readonly cbor?: CborLengths;
}

/** Answers SMP requests like Zephyr's server (facts sheet, A2 and A3), independent of the transport. */
export class SmpServer {
  readonly #options: SmpServerOptions;

  constructor(options: SmpServerOptions) {
    this.#options = options;
  }

  get #isIndefinite(): boolean {
    return this.#options.cbor === 'indefinite';
  }

  get bufferBytes(): number {
    return this.#options.bufferBytes;
  }

  /**
   * Answers all requests in one buffer, in order; the first failure drops the rest.
   *
   * @param hasBuffer whether there is a buffer for an answer; the error for a missing one uses the request's own buffer
   */
  handle(buffer: Uint8Array, hasBuffer = true): Uint8Array[] {
    const answers: Uint8Array[] = [];
    for (let at = 0; at < buffer.byteLength; ) {
      const header = decodeSmpHeader(buffer.subarray(at));
      if (header === undefined) break;
      const start = at + SMP_HEADER_BYTES;
      const end = start + header.length;
      const result: CommandResult =
        end > buffer.byteLength
          ? { rc: MGMT.corrupt }
          : hasBuffer
            ? this.#dispatch(header, buffer.subarray(start, end))
            : { rc: MGMT.noMemory };
      answers.push(this.#answer(header, result));
      if (!('fields' in result)) break;
      at = end;
    }
    return answers;
  }

  #dispatch(header: SmpHeader, payload: Uint8Array): CommandResult {
    if (header.version > 1) return { rc: MGMT.versionTooNew };
    const command = this.#commandFor(header);
    if (command === undefined) return { rc: MGMT.notSupported };
    if (!command.decodes) return command.run(new Map(), payload);
    const fields = decodeFields(payload, this.#isIndefinite ? 'any' : 'definite');
    return fields === undefined ? { rc: MGMT.invalid } : command.run(fields, payload);
  }

  #commandFor({ op, group, command }: SmpHeader): Command | undefined {
    const found = this.#options.groups.find(({ id }) => id === group);
    if (op === OP.read) return found?.read[command];
    return op === OP.write ? found?.write[command] : undefined;
  }

  #answer(header: SmpHeader, result: CommandResult): Uint8Array {
    const version = Math.min(header.version, 1);
    // A response sent to the server is answered as a failed write: without an SMP client it can't know better.
    const op = header.op === OP.read ? OP.readResponse : OP.writeResponse;
    const { group, sequence, command } = header;
    const packet = (fields: CborMap) => encodePacket({ op, version, group, sequence, command }, this.#encode(fields));
    const full = packet(answerFields(group, version, result));
    return full.byteLength > this.#options.bufferBytes ? packet({ rc: MGMT.tooLarge }) : full;
  }

  #encode(fields: CborMap): Uint8Array {
    return this.#isIndefinite ? encodeIndefinite(fields) : encodeDefinite(fields);
  }
}

function answerFields(group: number, version: number, result: CommandResult): CborMap {
  if ('fields' in result) return result.fields;
  if ('rc' in result) return { rc: result.rc };
  return version === 0 ? { rc: v1ErrorOf(group, result.error) } : { err: { group, rc: result.error } };
}
