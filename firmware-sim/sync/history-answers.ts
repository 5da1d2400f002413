import {
  createFragmentReader,
  type FragmentReader,
  type HistoryAnswer,
  isWateringNotice,
} from '@autowatering/device-data';
import { ATT, AttError } from '../garden/gatt/att-error.ts';
import { Expected, type GardenReach } from './garden-reach.ts';

/** The device did not answer a question about its history, however often it was asked. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  /** The device's own code, if it answered. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** Which rows a question asks for, both ends included: seconds since 1970, by the device's clock. */
export interface Span {
  readonly fromS: number;
  readonly untilS: number;
}

const ANSWER_WITHIN_MS = 5_000;
/** Between two questions: a new channel within 100 ms is refused. */
const PAUSE_MS = 110;
const MOST_TRIES = 4;
const TOO_FAST = 7;
/** Busy with another transfer, which it thereby ended; or its buffers were full. */
const ASK_AGAIN: readonly number[] = [1, 3];

/**
 * Asks for history that the device pushes part by part. The device abandons a transfer that meets full buffers without a
 * word, so each question has its time and is asked again.
 */
export class HistoryAnswers {
  readonly #reach: GardenReach;
  readonly #characteristic: 'defc' | 'de14';
  #reader: FragmentReader = createFragmentReader();
  #expected = new Expected<HistoryAnswer | 'broken'>();

  private constructor(reach: GardenReach, characteristic: 'defc' | 'de14') {
    this.#reach = reach;
    this.#characteristic = characteristic;
  }

  /** @param onNotice gets what comes unasked on the same characteristic */
  static async open(
    reach: GardenReach,
    characteristic: 'defc' | 'de14',
    onNotice?: (message: Uint8Array) => void,
  ): Promise<HistoryAnswers> {
    const answers = new HistoryAnswers(reach, characteristic);
    await reach.gatt.subscribe(characteristic, (message) => {
      if (onNotice !== undefined && isWateringNotice(message)) onNotice(message);
      else answers.#take(message);
    });
    return answers;
  }

  /**
   * @param isWanted whether it answers this question, and not one that was given up
   * @throws HistoryError, LinkLostError, AttError
   */
  async ask(question: Uint8Array, isWanted: (answer: HistoryAnswer) => boolean = () => true): Promise<HistoryAnswer> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      await this.#reach.wait(PAUSE_MS);
      this.#reader = createFragmentReader();
      const expected = new Expected<HistoryAnswer | 'broken'>();
      this.#expected = expected;
      try {
        await this.#reach.gatt.write(this.#characteristic, question);
      } catch (error) {
        if (error instanceof AttError && error.code === ATT.busy) continue;
        throw error;
      }
      await this.#reach.wait(ANSWER_WITHIN_MS, expected);
      const answer = expected.value;
      if (answer === undefined || answer === 'broken') continue;
      if (answer.dataType === 0xfe && answer.status === TOO_FAST) continue;
      if (answer.dataType === 0xff && ASK_AGAIN.includes(answer.status)) continue;
      if (answer.dataType === 0xff) throw new HistoryError(`refused with ${answer.status}`, answer.status);
      if (isWanted(answer)) return answer;
    }
    throw new HistoryError(`no answer on ${this.#characteristic}`);
  }

  #take(part: Uint8Array): void {
    const outcome = this.#reader.add(part);
    if (outcome.kind === 'complete') this.#expected.arrive(outcome.answer);
    if (outcome.kind === 'broken') this.#expected.arrive('broken');
  }
}
