export * from './bytes.ts';
export * from './codes.ts';
export * from './frames.ts';
export * from './limits.ts';
export * from './low-order-keys.ts';
export * from './transcript.ts';
