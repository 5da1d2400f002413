export { type AppClientOptions, createAppClient } from './app-client.ts';
export { ApiError, type AppClientError, isAppClientError, NetworkError, TimeoutError } from './errors.ts';
export type * from './generated/api.ts';
export type { CallOptions } from './operation.ts';
export type { GetToken } from './tokens.ts';
