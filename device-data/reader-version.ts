/**
 * Version of this reader, kept beside the raw bytes it read. It rises whenever the same bytes would be read differently, so that
 * stored rows can be read again.
 */
export const READER_VERSION = 1;
