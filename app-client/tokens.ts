/**
 * Gives the id or access token of the signed-in user, or nothing when nobody is signed in. With `refresh: true` the
 * token that it gave before was refused: it has to get a new one. What it throws ends the call.
 */
export type GetToken = (how: { readonly refresh: boolean }) => Promise<string | null | undefined>;

export interface Tokens {
  current(): Promise<string | undefined>;
  /** A token in place of one that was refused; calls that were refused at the same time share one refresh. */
  inPlaceOf(refused: string): Promise<string | undefined>;
}

export function sharedTokens(getToken: GetToken): Tokens {
  let renewal: Promise<string | undefined> | undefined;
  const ask = async (refresh: boolean) => (await getToken({ refresh })) ?? undefined;
  return {
    current: () => renewal ?? ask(false),
    async inPlaceOf(refused) {
      if (renewal !== undefined) return renewal;
      // Another call may have been refused, and have got a new one, while this one was on its way.
      const known = await ask(false);
      if (known !== refused) return known;
      renewal ??= ask(true).finally(() => {
        renewal = undefined;
      });
      return renewal;
    },
  };
}
