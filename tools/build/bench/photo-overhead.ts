import { performance } from 'node:perf_hooks';
import type { Fetch } from '../../../src/http/adapters/fetch-adapter.ts';
import type { PlantStandIns } from '../../run/local-stack/engines.ts';
import { photoOf } from './photo-body.ts';
import { percentile } from './statistics.ts';

const PROVIDER_MS = 200;
/** Stays below the rate limit of one address. */
const PHOTOS = 20;
const AT_ONCE = 4;
const LARGEST_BYTES = 4 * 1024 * 1024;
const SET = 5;
const REPEATS = 6;

export interface PhotoOverhead {
  /** Beyond the provider's own time, in ms, for photos of 300 KB. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Peak memory that one request with a photo of 4 MiB adds, in bytes. */
  readonly memoryBytes: number;
  /** Cache hits for a set of photos that is sent repeatedly. */
  readonly hitRate: number;
}

/** Measures our time beyond the provider's, memory, and cache hits. */
export async function measurePhotos(
  app: Fetch,
  plants: PlantStandIns,
  headers: Readonly<Record<string, string>>,
): Promise<PhotoOverhead> {
  const send = async (photo: Uint8Array<ArrayBuffer>) => {
    const body = new FormData();
    body.set('image', new Blob([photo], { type: 'image/jpeg' }), 'photo.jpg');
    const answer = await app(new Request('http://localhost/plantId', { method: 'POST', headers, body }));
    if (answer.status !== 200) throw new Error(`a photo was answered with ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    return answer.headers.get('x-ai-cache') === 'HIT';
  };
  await send(photoOf(1_000));
  plants.kindwise.setFaults([{ latencyMs: PROVIDER_MS }]);
  const times: number[] = [];
  const worker = async () => {
    for (let i = 0; i < PHOTOS / AT_ONCE; i += 1) {
      const photo = photoOf(300_000);
      const started = performance.now();
      await send(photo);
      times.push(performance.now() - started - PROVIDER_MS);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const memoryBytes = await peakOf(() => send(photoOf(LARGEST_BYTES)));
  plants.kindwise.setFaults([]);
  const set = Array.from({ length: SET }, () => photoOf(50_000));
  let hits = 0;
  for (let i = 0; i < REPEATS; i += 1) for (const photo of set) if (await send(photo)) hits += 1;
  return {
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    memoryBytes,
    hitRate: hits / (SET * REPEATS),
  };
}

/** Returns the process's peak memory growth during the work, in bytes. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 2);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak - before;
}
