/** What an answer says: JSON where it is JSON, else the text as it came. */
export function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
