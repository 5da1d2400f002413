import type { Board } from '../board.ts';

export const MASTER = 0xff;

/** The valves, as far as the firmware can move them. Whoever is subscribed hears of each change. */
export class Valves {
  readonly #board: Board;

  constructor(board: Board) {
    this.#board = board;
  }

  /** @returns whether that changed anything */
  setMaster(isOpen: boolean): boolean {
    const { world, agenda } = this.#board;
    if (world.plumbing.isMasterOpen === isOpen) return false;
    world.plumbing.setValve('master', isOpen, agenda.now);
    this.#board.signal({ kind: 'valve', channel: MASTER, isOpen });
    return true;
  }

  set(channel: number, isOpen: boolean): void {
    const { world, agenda } = this.#board;
    if (world.plumbing.isOpen(channel) === isOpen) return;
    world.plumbing.setValve(channel, isOpen, agenda.now);
    this.#board.signal({ kind: 'valve', channel, isOpen });
  }

  /** Without power all of them shut, and nobody is told. */
  losePower(): void {
    const { world, agenda } = this.#board;
    for (let zone = 0; zone < world.plumbing.zones; zone += 1) world.plumbing.setValve(zone, false, agenda.now);
    world.plumbing.setValve('master', false, agenda.now);
  }
}
