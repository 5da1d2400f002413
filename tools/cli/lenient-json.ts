/** Parses JSON; returns the text itself if it is not JSON. */
export function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
