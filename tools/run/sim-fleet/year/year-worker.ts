import { parentPort, workerData } from 'node:worker_threads';
import { liveThrough, type YearPart } from './year-part.ts';
import type { WorkerMessage } from './year-workers.ts';

const TOLD_EVERY = 5;

const tell = (message: WorkerMessage) => parentPort?.postMessage(message);
const part: YearPart = workerData;
let done = 0;
const summary = await liveThrough(part, () => {
  done += 1;
  if (done % TOLD_EVERY === 0) tell({ kind: 'progress', devices: TOLD_EVERY });
});
tell({ kind: 'done', summary, devices: done % TOLD_EVERY });
