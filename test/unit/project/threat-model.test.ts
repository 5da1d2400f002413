import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const rows = readFileSync('docs/threat-model.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => ({ number: line.split('|')[1]?.trim() ?? '', evidence: line.split('|').at(-2) ?? '' }));

describe('the threat model', () => {
  it.each(rows)('has evidence for number $number', ({ evidence }) => {
    const files = [...evidence.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, file = '']) => readFileSync(file, 'utf8'));
    const titles = [...evidence.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
    expect([files.length > 0, titles.length > 0]).toEqual([true, true]);
    for (const title of titles) {
      expect(
        files.some((text) => text.includes(`'${title}'`) || text.includes(`"${title}"`)),
        title,
      ).toBe(true);
    }
  });

  it('has consecutive row numbers', () => {
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, index) => index + 1));
    expect(rows.length).toBeGreaterThan(20);
  });
});
