export type ProviderName = 'kindwise' | 'plantnet' | 'gbif';

export type ProviderTrouble =
  | 'cancelled'
  | 'circuit_open'
  | 'exhausted'
  | 'malformed'
  | 'not_configured'
  | 'refused_key'
  | 'rejected'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  | 'unsupported';

/** A provider gave no usable answer. Contains nothing of the request: some carry their key in the URL. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly provider: ProviderName;
  readonly reason: ProviderTrouble;

  constructor(provider: ProviderName, reason: ProviderTrouble, detail?: string) {
    super(`${provider}: ${reason}${detail === undefined ? '' : ` (${detail})`}`);
    this.provider = provider;
    this.reason = reason;
  }
}

/** Checks whether the error says anything about the provider's health; a rejected photo does not. */
export function tellsOfHealth({ reason }: ProviderError): boolean {
  return !['cancelled', 'circuit_open', 'not_configured', 'rejected', 'unsupported'].includes(reason);
}
