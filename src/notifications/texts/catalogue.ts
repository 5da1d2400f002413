import { en, type Texts } from './en.ts';
import type { LanguageCode } from './languages.ts';
import { ro } from './ro.ts';

export const CATALOGUE: Readonly<Record<LanguageCode, Texts>> = { en, ro };
