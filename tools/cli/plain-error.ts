/** Something a person can mend; the command line prints the sentence and no stack. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
}
