export { createTelemetryLook } from './health/look-job.ts';
