import { RelayError } from '../errors.ts';
import { parsed } from '../frames/record.ts';

/** As much of `fetch` as is used here. */
export type Fetch = (
  url: string,
  init?: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    signal?: AbortSignal;
  },
) => Promise<{ readonly ok: boolean; readonly status: number; text(): Promise<string> }>;

const TIME_LIMIT_MS = 15_000;

export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: unknown;
}

/** @throws RelayError `lost` without an answer in time */
export async function send(fetch: Fetch, url: string, init: Parameters<Fetch>[1] = {}): Promise<Answer> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIME_LIMIT_MS);
  try {
    const response = await fetch(url, { ...init, signal: limit.signal });
    return { ok: response.ok, status: response.status, body: parsed(await response.text()) };
  } catch (cause) {
    throw new RelayError('lost', `No answer from ${new URL(url).host}.`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** @throws RelayError `lost` or `http` */
export async function getJson(fetch: Fetch, url: string): Promise<unknown> {
  const { ok, status, body } = await send(fetch, url);
  if (!ok) throw new RelayError('http', `${new URL(url).pathname} answered ${status}.`);
  return body;
}
