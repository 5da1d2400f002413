/** Bytes of a frame's header before the extended length. */
const SHORT_HEADER = 2;
const MASK_BYTES = 4;

/**
 * Watches the bytes that a client sends and reports the length of each frame's payload, before the payload has arrived.
 * The WebSocket library limits whole messages only; API Gateway limits frames as well.
 */
export function frameLengths(report: (bytes: number) => void): (chunk: Buffer) => void {
  let header: number[] = [];
  let toSkip = 0;

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, chunk.length - at);
        toSkip -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at];
      if (byte !== undefined) header.push(byte);
      at += 1;
      const payload = payloadLength(header);
      if (payload === undefined) continue;
      header = [];
      toSkip = payload;
      report(payload);
    }
  };
}

/** Undefined until the header is complete (RFC 6455, 5.2). */
function payloadLength(header: readonly number[]): number | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const mask = (second & 0x80) === 0 ? 0 : MASK_BYTES;
  if (header.length < SHORT_HEADER + extended + mask) return undefined;
  if (extended === 0) return short;
  return header.slice(SHORT_HEADER, SHORT_HEADER + extended).reduce((sum, byte) => sum * 256 + byte, 0);
}
