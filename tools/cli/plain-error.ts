/** An error that the user can fix. The command line prints its message without a stack trace. */
export class PlainError extends Error {
  override readonly name: string = 'PlainError';
}

/** The request was refused; repeating it will not help. */
export class RefusedError extends PlainError {}

/** An invalid combination of options. */
export class UsageError extends PlainError {}
