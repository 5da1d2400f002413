/** Errors by which a device refuses a read or a write (device sheet, §2.7). */
export const ATT = {
  write_not_permitted: 0x03,
  authentication: 0x05,
  invalid_offset: 0x07,
  not_found: 0x0a,
  invalid_length: 0x0d,
  unlikely: 0x0e,
  encryption: 0x0f,
  busy: 0x10,
  not_saved: 0x11,
  not_allowed: 0x13,
} as const;

/** The device refused a read, a write or a subscription. */
export class AttError extends Error {
  override readonly name = 'AttError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(`${message} (ATT 0x${code.toString(16).padStart(2, '0')})`);
    this.code = code;
  }
}
