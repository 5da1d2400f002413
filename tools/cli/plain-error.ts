/** Something a person can mend; the command line prints the sentence and no stack. */
export class PlainError extends Error {
  override readonly name: string = 'PlainError';
}

/** What was asked for must not be done: a pipeline that repeats it only wastes its time. */
export class RefusedError extends PlainError {}

/** The command was called wrongly, which only shows when its options are looked at together. */
export class UsageError extends PlainError {}
