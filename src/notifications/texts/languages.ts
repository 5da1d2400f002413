/** The languages that have texts. A further one is a file beside this one, and a line here and in `catalogue.ts`. */
export const LANGUAGES = ['en', 'ro'] as const;
export type LanguageCode = (typeof LANGUAGES)[number];

export const STANDARD_LANGUAGE: LanguageCode = 'en';

/** Returns the language of a tag such as `ro-RO` or a name that the app stored; undefined if there are no texts in it. */
export function languageOf(tag: string): LanguageCode | undefined {
  const [code = ''] = tag.trim().toLowerCase().split(/[-_]/);
  return LANGUAGES.find((known) => known === code);
}
