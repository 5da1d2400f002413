interface Waiting<Input, Output> {
  readonly input: Input;
  resolve(output: Output): void;
  reject(error: unknown): void;
}

/**
 * Makes one call at a time. Whoever asks while it runs shares the next one, at most `most` at once, in the order in
 * which they asked. A call that fails fails for everyone who shares it.
 *
 * @param call returns one output for each input, in their order
 */
export function createSharedCalls<Input, Output>(
  most: number,
  call: (inputs: readonly Input[]) => Promise<readonly Output[]>,
): (input: Input) => Promise<Output> {
  const waiting: Waiting<Input, Output>[] = [];
  let isCalling = false;

  const serve = async (sharing: readonly Waiting<Input, Output>[]): Promise<void> => {
    try {
      const outputs = await call(sharing.map(({ input }) => input));
      if (outputs.length !== sharing.length) throw new Error('a shared call must answer everyone who shares it');
      for (const [index, output] of outputs.entries()) sharing[index]?.resolve(output);
    } catch (error) {
      for (const { reject } of sharing) reject(error);
    }
  };

  const serveAll = async (): Promise<void> => {
    isCalling = true;
    while (waiting.length > 0) await serve(waiting.splice(0, most));
    isCalling = false;
  };

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!isCalling) void serveAll();
    });
}
