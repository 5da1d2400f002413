import * as z from 'zod';

const Cursor = z.tuple([z.literal(1), z.string().min(1).max(512)]);

/** Encodes the sort key of a page's last item. The partition always comes from the request. */
export function encodeCursor(sortKey: string): string {
  return Buffer.from(JSON.stringify([1, sortKey])).toString('base64url');
}

/** Returns the cursor's sort key, or undefined if `encodeCursor` didn't create it. */
export function decodeCursor(cursor: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const result = Cursor.safeParse(parsed);
  return result.success ? result.data[1] : undefined;
}
