import { log, progress, spinner } from '@clack/prompts';

/** What a command shows while it works: on a terminal it moves, elsewhere it is one line a step, with --json nothing. */
export interface ProgressDisplay {
  done(message: string): void;
  /** Shows that something of unknown length is under way. */
  during<T>(message: string, work: () => Promise<T>): Promise<T>;
  /** A bar from 0 to `total`; `work` is given the function that moves it. */
  bar<T>(message: string, total: number, work: (advanceTo: (value: number) => void) => Promise<T>): Promise<T>;
}

export function progressDisplay(mode: 'people' | 'silent'): ProgressDisplay {
  if (mode === 'silent') return SILENT;
  return process.stdout.isTTY === true ? ON_TERMINAL : LINES;
}

const SILENT: ProgressDisplay = {
  done: () => {},
  during: (_message, work) => work(),
  bar: (_message, _total, work) => work(() => {}),
};

const LINES: ProgressDisplay = {
  done: (message) => console.log(`  ✓ ${message}`),
  during: (message, work) => {
    console.log(`  … ${message}`);
    return work();
  },
  bar: (message, _total, work) => {
    console.log(`  … ${message}`);
    return work(() => {});
  },
};

const ON_TERMINAL: ProgressDisplay = {
  done: (message) => log.success(message),
  async during(message, work) {
    const spin = spinner();
    spin.start(message);
    try {
      const result = await work();
      spin.stop(message);
      return result;
    } catch (error) {
      spin.error(message);
      throw error;
    }
  },
  async bar(message, total, work) {
    const bar = progress({ max: total, size: 40 });
    bar.start(message);
    let shown = 0;
    try {
      const result = await work((value) => {
        bar.advance(Math.max(0, value - shown), `${message} ${Math.floor((100 * value) / total)} %`);
        shown = Math.max(shown, value);
      });
      bar.stop(message);
      return result;
    } catch (error) {
      bar.error(message);
      throw error;
    }
  },
};
