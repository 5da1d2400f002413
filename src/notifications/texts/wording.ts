import type { Serial } from '../../platform/ids.ts';
import type { Notice } from '../notice.ts';
import { CATALOGUE } from './catalogue.ts';
import { en, type TextKey, type Texts } from './en.ts';
import type { LanguageCode } from './languages.ts';
import { type FactType, OTHER, TOPICS, type TopicFacts } from './topics.ts';

/** A message in words. */
export interface Wording {
  readonly title: string;
  readonly body: string;
  /** Which device it is about. */
  readonly device: string | null;
}

/** Whom the words are for. */
export interface Reader {
  readonly language: LanguageCode;
  /** An IANA name. */
  readonly timeZone: string;
  /** What the owner calls devices; those without a name go by their serial. */
  readonly deviceNames?: ReadonlyMap<Serial, string>;
}

/** They turn what follows around, or begin a line: a name comes from its owner, or from the owner before. */
const TURNING = /[\p{Bidi_Control}\u2028\u2029]/gu;
const PLACEHOLDER = /\{(\w+)\}/g;

/** Says a notice in the reader's language, with numbers and times as they are written there. */
export function wordingOf(
  { kind, topic, serial, facts }: Pick<Notice, 'kind' | 'topic' | 'serial' | 'facts'>,
  reader: Reader,
): Wording {
  const texts = CATALOGUE[reader.language];
  const needed = Object.hasOwn(TOPICS[kind], topic) ? TOPICS[kind][topic] : undefined;
  const values = needed === undefined ? undefined : written(needed, facts, texts, reader);
  const name = values === undefined ? OTHER : topic;
  return {
    title: fill(textAt(texts, `${kind}.${name}.title`), values ?? {}),
    body: fill(textAt(texts, `${kind}.${name}.body`), values ?? {}),
    device: serial === null ? null : deviceOf(serial, texts, reader),
  };
}

function deviceOf(serial: Serial, texts: Texts, { deviceNames }: Reader): string {
  const name = deviceNames?.get(serial)?.replace(TURNING, '').trim() ?? '';
  return name === '' ? fill(texts['message.device'], { serial }) : name;
}

/** Returns a text that has no facts, such as a button's. */
export function plainText(language: LanguageCode, key: TextKey): string {
  return CATALOGUE[language][key];
}

/** The facts as people read them; undefined if one is missing or is not what it should be. */
function written(
  needed: TopicFacts,
  facts: Notice['facts'],
  texts: Texts,
  reader: Reader,
): Readonly<Record<string, string>> | undefined {
  const values = Object.entries(needed).map(
    ([name, type]) => [name, writeFact(type, facts[name], texts, reader)] as const,
  );
  const complete = values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return complete.length === values.length ? Object.fromEntries(complete) : undefined;
}

function writeFact(
  type: FactType,
  value: string | number | undefined,
  texts: Texts,
  { language, timeZone }: Reader,
): string | undefined {
  if (type === 'text') return value === undefined ? undefined : String(value);
  if (type === 'command' || type === 'reason') {
    return value === undefined ? undefined : (found(texts, `word.${type}.${value}`) ?? texts[`word.${type}.other`]);
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options).format(value);
  const unit = (name: string) => number({ style: 'unit', unit: name, unitDisplay: 'long', maximumFractionDigits: 0 });
  switch (type) {
    case 'channel':
      return String(value + 1);
    case 'celsius':
      return number({ style: 'unit', unit: 'celsius', maximumFractionDigits: 1 });
    case 'percent':
      return number({ style: 'unit', unit: 'percent', maximumFractionDigits: 0 });
    case 'days':
      return unit('day');
    case 'litres':
      return unit('liter');
    case 'time':
      return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(value);
  }
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}

function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(en, key);
}

function found(texts: Texts, key: string): string | undefined {
  return isTextKey(key) ? texts[key] : undefined;
}

/** @throws if a topic has no texts, which a test rules out */
function textAt(texts: Texts, key: string): string {
  const text = found(texts, key);
  if (text === undefined) throw new Error(`There is no text ${key}`);
  return text;
}
