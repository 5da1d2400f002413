import { describe, expect, it } from 'vitest';
import { NOTICE_KINDS } from '../../../src/notifications/notice.ts';
import { CATALOGUE } from '../../../src/notifications/texts/catalogue.ts';
import { LANGUAGES, languageOf } from '../../../src/notifications/texts/languages.ts';
import { TOPICS } from '../../../src/notifications/texts/topics.ts';
import { wordingOf } from '../../../src/notifications/texts/wording.ts';

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const utc = { language: 'en', timeZone: 'UTC' } as const;

describe('the texts', () => {
  it('of all languages have the same keys and placeholders, and none is empty', () => {
    const shape = (language: (typeof LANGUAGES)[number]) =>
      Object.entries(CATALOGUE[language]).map(([key, text]) => [key, placeholders(text), text.trim() !== '']);
    for (const language of LANGUAGES) expect(shape(language)).toEqual(shape('en'));
  });

  it('say every topic of every kind, and mention only facts that the topic must have', () => {
    for (const kind of NOTICE_KINDS) {
      expect(TOPICS[kind]).toHaveProperty('other', {});
      for (const [topic, facts] of Object.entries(TOPICS[kind])) {
        const texts: Readonly<Record<string, string>> = CATALOGUE.en;
        const [title, body] = [texts[`${kind}.${topic}.title`], texts[`${kind}.${topic}.body`]];
        const mentioned = [...new Set(placeholders(`${title} ${body}`))];
        expect([kind, topic, mentioned]).toEqual([kind, topic, Object.keys(facts).sort()]);
      }
    }
  });

  it('are chosen by a language tag, whatever its region and spelling', () => {
    expect(['ro-RO', 'RO', 'en_GB', 'de', ''].map(languageOf)).toEqual(['ro', 'ro', 'en', undefined, undefined]);
  });
});

describe('a notice in words', () => {
  it('shows zones as people count them, and times by the clocks of its owner', () => {
    const lock = {
      ...({ kind: 'lock', topic: 'channel-soft', serial: null } as const),
      facts: { channel: 0, retry_at: Date.UTC(2026, 6, 1, 10, 30) },
    };
    const romanian = wordingOf(lock, { language: 'ro', timeZone: 'Europe/Bucharest' });
    expect([romanian.title, romanian.body]).toEqual([
      'Zona 1 este blocată temporar',
      'Dispozitivul încearcă din nou pe 1 iulie 2026 la 13:30.',
    ]);
    expect(wordingOf(lock, { language: 'en', timeZone: 'America/New_York' }).body).toMatch(/July 1, 2026 at 6:30/);
  });

  it('has its plurals from the language', () => {
    const title = (days: number, language: 'en' | 'ro') =>
      wordingOf({ kind: 'insight', topic: 'dry-spell', serial: null, facts: { days } }, { ...utc, language }).title;
    expect([title(1, 'en'), title(3, 'en')]).toEqual(['It has not rained for 1 day', 'It has not rained for 3 days']);
    expect([title(1, 'ro'), title(3, 'ro'), title(20, 'ro')]).toEqual([
      'Nu a plouat de 1 zi',
      'Nu a plouat de 3 zile',
      'Nu a plouat de 20 de zile',
    ]);
  });

  it('says why a device refused a command, and no reason that it does not know', () => {
    const body = (reason: string) =>
      wordingOf({ kind: 'command', topic: 'refused', serial: null, facts: { command: 'pause', reason } }, utc).body;
    expect(['nothing_to_do', 'freeze', 'device_error'].map(body)).toEqual([
      'Your device does not do this now: there is nothing that it could apply to.',
      'Your device does not do this now: it is too cold.',
      'Your device does not do this now: the app shows more.',
    ]);
  });

  it('has its facts in the units of people', () => {
    const body = (
      topic: string,
      facts: Readonly<Record<string, number | string>>,
      kind: 'insight' | 'alarm' | 'update',
    ) => {
      const { title, body } = wordingOf({ kind, topic, serial: null, facts }, utc);
      return `${title} ${body}`;
    };
    expect(body('freeze', { temperature: 1.5 }, 'alarm')).toContain('1.5°C');
    expect(body('high-use', { channel: 1, percent: 40 }, 'insight')).toContain('40%');
    expect(body('saved', { litres: 120 }, 'insight')).toContain('120 liters');
    expect(body('done', { version: '2.1.0' }, 'update')).toContain('2.1.0');
    const general = body('other', {}, 'update');
    expect(body('done', {}, 'update')).toBe(general);
    expect(body('saved', { litres: 'many' }, 'insight')).toBe(body('other', {}, 'insight'));
    expect(body('saved', { litres: Number.NaN }, 'insight')).toBe(body('other', {}, 'insight'));
  });

  it('is never without words: an unknown topic, or one without its facts, gets the general ones', () => {
    const titles = [
      wordingOf({ kind: 'lock', topic: 'brand-new', serial: null, facts: {} }, utc),
      wordingOf({ kind: 'lock', topic: 'channel-soft', serial: null, facts: { channel: 2 } }, utc),
      wordingOf({ kind: 'lock', topic: 'toString', serial: null, facts: {} }, utc),
      wordingOf({ kind: 'command', topic: 'done', serial: null, facts: { command: 'dance' } }, utc),
    ].map(({ title }) => title);
    expect(titles).toEqual(['Watering is locked', 'Watering is locked', 'Watering is locked', 'Done: a change']);
  });
});
