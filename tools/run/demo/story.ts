import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';
import { type ProgressDisplay, progressDisplay } from '../../cli/terminal/progress-display.ts';

/** A step of the demo failed. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

export interface Chapter {
  readonly title: string;
  readonly ms: number;
}

/** Prints the demo: timed chapters with facts and promises, which must hold. */
export class Story {
  readonly display: ProgressDisplay = progressDisplay('people');
  readonly chapters: Chapter[] = [];

  async chapter<T>(title: string, tell: () => Promise<T>): Promise<T> {
    console.log(`\n${styleText('bold', `${this.chapters.length + 1}. ${title}`, { stream: process.stdout })}`);
    const started = performance.now();
    const result = await tell();
    this.chapters.push({ title, ms: performance.now() - started });
    return result;
  }

  fact(text: string): void {
    this.display.done(text);
  }

  promise(holds: boolean, text: string): void {
    if (!holds) throw new StoryError(`The demo failed: ${text}`);
    this.fact(text);
  }

  timetable(): string {
    const width = Math.max(...this.chapters.map(({ title }) => title.length));
    const total = this.chapters.reduce((sum, { ms }) => sum + ms, 0);
    const row = (title: string, ms: number) => `  ${title.padEnd(width)}  ${(ms / 1000).toFixed(1).padStart(5)} s`;
    return [...this.chapters.map(({ title, ms }) => row(title, ms)), row('Total', total)].join('\n');
  }
}
