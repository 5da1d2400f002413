export * from './device-key.ts';
export * from './messages.ts';
