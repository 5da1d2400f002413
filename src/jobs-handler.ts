import { createJobsFunction } from './jobs-function.ts';
import { createServices } from './services.ts';

/** Lambda's entry point for work by time. The function is put together once per container. */
export const handler = createJobsFunction(createServices(process.env));
