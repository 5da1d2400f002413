/**
 * Returns the id or access token of the signed-in user, or nothing when nobody is signed in. `refresh: true` means that
 * the previous token was refused: a new one must be fetched. Anything it throws ends the call.
 */
export type GetToken = (how: { readonly refresh: boolean }) => Promise<string | null | undefined>;

export interface Tokens {
  current(): Promise<string | undefined>;
  /** Returns a token to replace a refused one. Calls that are refused at the same time share one refresh. */
  inPlaceOf(refused: string): Promise<string | undefined>;
}

/** Gets tokens from the app, and asks for a new one only once however many calls need it. */
export function sharedTokens(getToken: GetToken): Tokens {
  let renewal: Promise<string | undefined> | undefined;
  const ask = async (refresh: boolean) => (await getToken({ refresh })) ?? undefined;
  return {
    current: () => renewal ?? ask(false),
    async inPlaceOf(refused) {
      if (renewal !== undefined) return renewal;
      // Another call may have been refused and fetched a new token in the meantime.
      const known = await ask(false);
      if (known !== refused) return known;
      renewal ??= ask(true).finally(() => {
        renewal = undefined;
      });
      return renewal;
    },
  };
}
