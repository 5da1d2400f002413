import { createRelayFunction } from './relay-function.ts';
import { createServices } from './services.ts';

/** Lambda's entry point for the WebSocket API. The function is put together once per container. */
export const handler = createRelayFunction(createServices(process.env));
