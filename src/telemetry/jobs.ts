export { createTelemetryArchive } from './archive/archive-job.ts';
export { createTelemetryLook } from './health/look-job.ts';
