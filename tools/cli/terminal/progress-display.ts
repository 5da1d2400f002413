import { styleText } from 'node:util';
import ora from 'ora';

/** Shows a command's progress: animated on a terminal, one line per step elsewhere, nothing with --json. */
export interface ProgressDisplay {
  done(message: string): void;
  /** Shows that work of unknown length is in progress. */
  during<T>(message: string, work: () => Promise<T>): Promise<T>;
  /** Shows a bar from 0 to `total`; `work` gets the function that advances it. */
  bar<T>(message: string, total: number, work: (advanceTo: (value: number) => void) => Promise<T>): Promise<T>;
  /** Shows a changing text of one or more lines, updated every `everyMs` milliseconds. */
  live<T>(text: () => string, everyMs: number, work: () => Promise<T>): Promise<T>;
}

export function progressDisplay(mode: 'people' | 'silent'): ProgressDisplay {
  if (mode === 'silent') return SILENT;
  return process.stdout.isTTY === true ? ON_TERMINAL : LINES;
}

/** Bar and message must fit into 80 columns: a longer line would be printed again at every step. */
const BAR_COLUMNS = 24;

function printDone(message: string): void {
  console.log(`  ${styleText('green', '✔', { stream: process.stdout })} ${message}`);
}

const SILENT: ProgressDisplay = {
  done: () => {},
  during: (_message, work) => work(),
  bar: (_message, _total, work) => work(() => {}),
  live: (_text, _everyMs, work) => work(),
};

const LINES: ProgressDisplay = {
  done: printDone,
  during: (message, work) => {
    console.log(`  … ${message}`);
    return work();
  },
  bar: (message, _total, work) => {
    console.log(`  … ${message}`);
    return work(() => {});
  },
  async live(text, _everyMs, work) {
    const timer = setInterval(() => console.log(`  … ${text()}`), LINE_EVERY_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  },
};

const ON_TERMINAL: ProgressDisplay = {
  done: printDone,
  async during(message, work) {
    const spinner = startSpinner(message);
    try {
      const result = await work();
      spinner.succeed();
      return result;
    } catch (error) {
      spinner.fail();
      throw error;
    }
  },
  bar: (message, total, work) => {
    const spinner = startSpinner(message);
    const advanceTo = (value: number) => {
      spinner.text = `${message} ${drawBar(value / total)}`;
    };
    return work(advanceTo).then(
      (result) => {
        spinner.succeed(message);
        return result;
      },
      (error: unknown) => {
        spinner.fail(message);
        throw error;
      },
    );
  },
  async live(text, everyMs, work) {
    const spinner = startSpinner(text());
    const timer = setInterval(() => {
      spinner.text = text();
    }, everyMs);
    try {
      const result = await work();
      spinner.succeed(text());
      return result;
    } catch (error) {
      spinner.fail(text());
      throw error;
    } finally {
      clearInterval(timer);
    }
  },
};

/** Interval without a terminal, where every text stays visible. */
const LINE_EVERY_MS = 10_000;

function startSpinner(message: string) {
  // ora's keyboard handling would swallow Ctrl-C, which has to stop the command.
  return ora({ text: message, indent: 2, discardStdin: false }).start();
}

function drawBar(share: number): string {
  const full = Math.min(BAR_COLUMNS, Math.floor(share * BAR_COLUMNS));
  return `${'█'.repeat(full)}${'░'.repeat(BAR_COLUMNS - full)} ${Math.floor(100 * share)} %`;
}
