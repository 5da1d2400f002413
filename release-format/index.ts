export * from './image-gate.ts';
export * from './mcuboot-header.ts';
export * from './mcuboot-image.ts';
export * from './protected-tlvs.ts';
export * from './release-version.ts';
export * from './verify-image.ts';
