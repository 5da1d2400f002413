import { styleText } from 'node:util';

export interface ShownEvent {
  readonly seq: number;
  readonly type: string;
  readonly key?: string | undefined;
  readonly payload?: unknown;
  readonly peer_id: string;
  /** Milliseconds since 1970. */
  readonly received_at: number;
}

/** One event in one line, with its author by name if that is known. */
export function eventLine(stream: string, event: ShownEvent, author?: string): string {
  const { seq, type, key, payload, peer_id: peerId, received_at: time } = event;
  const about = key === undefined ? '' : ` (${key})`;
  const by = author ?? `peer ${peerId.slice(0, 8)}`;
  return `${clockTime(time)}  ${bold(`${stream} ${seq}`)}  ${type}${about}  ${JSON.stringify(payload)}  ${dim(`by ${by}`)}`;
}

export function clockTime(milliseconds: number): string {
  return dim(`${new Date(milliseconds).toISOString().slice(0, 19)}Z`);
}

const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
const dim = (text: string) => styleText('dim', text, { stream: process.stdout });
