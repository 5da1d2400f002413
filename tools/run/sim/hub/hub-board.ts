import type { CarriedCommand, HubState, HubSynced, HubVisit, UpdatePhase } from '@autowatering/firmware-sim';

/** What a running hub does, as a text that changes, and as lines. */
export class HubBoard {
  readonly #isJson: boolean;
  readonly #doing = new Map<string, string>();
  #state: HubState = 'unowned';

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  entered(state: HubState): void {
    this.#state = state;
    this.#line(`Hub: ${state}`);
  }

  phase(serial: string, phase: UpdatePhase): void {
    if (this.#doing.get(serial)?.startsWith(phase) !== true) this.#line(`${serial}: ${phase}`);
    this.#doing.set(serial, phase);
  }

  progress(serial: string, share: number): void {
    this.#doing.set(serial, `uploading ${Math.floor(100 * share)} %`);
  }

  synced({ serial, rowBytes, sessions, failures }: HubSynced): void {
    const trouble = failures.length === 0 ? '' : `; not read: ${failures.join(', ')}`;
    this.#line(`${serial}: garden read, ${rowBytes} bytes of rows, ${sessions} watched runs${trouble}`);
  }

  carried({ serial, kind, state }: CarriedCommand): void {
    this.#doing.set(serial, `${kind}: ${state}`);
    this.#line(`${serial}: command ${kind} is ${state}`);
  }

  visited(visits: readonly HubVisit[]): void {
    for (const { serial, outcome } of visits) {
      const why = 'reason' in outcome && outcome.reason !== undefined ? ` (${outcome.reason})` : '';
      const version = 'version' in outcome ? ` ${outcome.version}` : '';
      const told = `${outcome.outcome}${version}${why}`;
      this.#doing.set(serial, told);
      if (this.#isJson) console.log(JSON.stringify({ serial, ...outcome }));
      else this.#line(`${serial}: ${told}`);
    }
  }

  toString(): string {
    const devices = [...this.#doing].map(([serial, doing]) => `${serial} ${doing}`);
    return [`Hub ${this.#state}`, ...devices].join('; ');
  }

  /** On a terminal the changing text shows it. */
  #line(text: string): void {
    if (!this.#isJson && process.stdout.isTTY !== true) console.log(`  ${text}`);
  }
}
