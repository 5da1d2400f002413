import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jargonIn } from '../../support/words-for-people.ts';

interface Message {
  readonly file: string;
  readonly text: string;
}

const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ file: path.join('src', name), source: readFileSync(path.join('src', name), 'utf8') }));

/** The arguments of a call whose parenthesis opens just before `from`. */
function argumentsAt(source: string, from: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = from;
  for (let at = from; at < source.length; at += 1) {
    const letter = source[at] ?? '';
    if (`'"\``.includes(letter)) {
      const here = new RegExp(LITERAL, 'y');
      here.lastIndex = at;
      at += (here.exec(source)?.[0].length ?? 1) - 1;
    } else if ('([{'.includes(letter)) depth += 1;
    else if (')]}'.includes(letter)) {
      if (depth === 0) return [...found, source.slice(start, at)].map((one) => one.trim()).filter((one) => one !== '');
      depth -= 1;
    } else if (letter === ',' && depth === 0) {
      found.push(source.slice(start, at));
      start = at + 1;
    }
  }
  throw new Error('a call without an end');
}

/** The texts in a piece of source. Template values become a number, as they are numbers or versions. */
function textsIn(source: string): string[] {
  return [...source.matchAll(LITERAL)]
    .map(([, single, double, template]) => single ?? double ?? template?.replaceAll(/\$\{[^}]*\}/g, '1') ?? '')
    .filter((text) => /^[A-Z1“]/.test(text) && text.includes(' '));
}

/** All messages in a table or function of the same file. */
function chosenBy(name: string, source: string): string[] {
  const from = source.search(new RegExp(`^(?:export )?(?:const|function) ${name}\\b`, 'm'));
  return from < 0 ? [] : textsIn(source.slice(from, source.indexOf('\n}', from)));
}

const calls = files.flatMap(({ file, source }) =>
  [...source.matchAll(/\bnew ApiError\(/g)].map((call) => {
    const [code = '', message = ''] = argumentsAt(source, call.index + call[0].length);
    const texts = /^['"`]/.test(message) ? textsIn(message) : chosenBy(/^\w+/.exec(message)?.[0] ?? '', source);
    return { file, code, message, texts };
  }),
);
const messages: Message[] = calls.flatMap(({ file, texts }) => texts.map((text) => ({ file, text })));

describe('all error messages', () => {
  it('are found by this test', () => {
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.filter(({ texts }) => texts.length === 0)).toEqual([]);
  });

  it('name no routes, methods, headers or fields', () => {
    const wrong = messages.flatMap(({ file, text }) => {
      const jargon = jargonIn(text);
      return jargon.length === 0 ? [] : [`${file}: “${text}” has ${jargon.join(' and ')}`];
    });
    expect(wrong).toEqual([]);
  });

  it('are short sentences', () => {
    // Validation errors of machine routes end with the field's rule.
    const wrong = messages.filter(
      ({ text }) => text.length > 130 || !(/[.!?]$/.test(text) || text.startsWith('1 is not valid')),
    );
    expect(wrong).toEqual([]);
  });
});

describe('jargon', () => {
  it.each([
    'You can follow it in the billing portal (POST /createBillingPortalSession).',
    '“hw_id” is not valid',
    'A field may not be called “__proto__”.',
    'Send it to /uploads/image first.',
    'Please set baseDocVersion.',
    'Send Content-Type: application/json.',
    'The x-factory-station header is wrong.',
    'Call createBillingPortalSession.',
  ])('is found in “%s”', (text) => {
    expect(jargonIn(text)).not.toEqual([]);
  });

  it('is not found in plain words', () => {
    expect(jargonIn('This is part of AutoWatering Premium: please choose a JPEG, PNG, WebP or HEIC photo.')).toEqual(
      [],
    );
  });
});
