/** The 8 bytes in front of every SMP packet, big-endian (facts sheet, A1). */
export const SMP_HEADER_BYTES = 8;

export const OP = { read: 0, readResponse: 1, write: 2, writeResponse: 3 } as const;
/** Groups from 64 on are application-specific. The product's firmware proves its identity there. */
export const GROUP = { os: 0, image: 1, statistics: 2, settings: 3, shell: 9, identity: 64 } as const;

export interface SmpHeader {
  /** Three bits; 0 and 2 are requests. */
  readonly op: number;
  /** 0 is "v1", 1 is "v2". */
  readonly version: number;
  readonly flags: number;
  /** Bytes of the payload after the header. */
  readonly length: number;
  readonly group: number;
  readonly sequence: number;
  readonly command: number;
}

export function encodeSmpHeader(header: SmpHeader): Uint8Array {
  const bytes = new Uint8Array(SMP_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, ((header.version & 0b11) << 3) | (header.op & 0b111));
  view.setUint8(1, header.flags);
  view.setUint16(2, header.length);
  view.setUint16(4, header.group);
  view.setUint8(6, header.sequence);
  view.setUint8(7, header.command);
  return bytes;
}

/** Undefined for fewer than 8 bytes. */
export function decodeSmpHeader(bytes: Uint8Array): SmpHeader | undefined {
  if (bytes.byteLength < SMP_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  return {
    op: first & 0b111,
    version: (first >> 3) & 0b11,
    flags: view.getUint8(1),
    length: view.getUint16(2),
    group: view.getUint16(4),
    sequence: view.getUint8(6),
    command: view.getUint8(7),
  };
}

/** Joins a header and its payload into a packet. */
export function encodePacket(header: Omit<SmpHeader, 'length' | 'flags'>, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(SMP_HEADER_BYTES + payload.byteLength);
  packet.set(encodeSmpHeader({ ...header, flags: 0, length: payload.byteLength }));
  packet.set(payload, SMP_HEADER_BYTES);
  return packet;
}
