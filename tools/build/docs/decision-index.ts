import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlainError } from '../../cli/plain-error.ts';

const FOLDER = fileURLToPath(new URL('../../../docs/adr/', import.meta.url));

/** The areas of decisions, in the order of the index. */
const AREAS = [
  'HTTP',
  'Data',
  'Accounts',
  'Subscriptions',
  'Plants',
  'Fleet',
  'OTA',
  'Relay',
  'Garden',
  'Simulator',
  'Operations',
  'Tools and tests',
  'Performance',
] as const;

const INTRODUCTION = `# Architecture decisions

One file per decision, in [docs/adr](docs/adr): context, decision, consequences. A new one takes the next number, names
its area in its third line, and is added to this list by \`npm run docs\`. Numbers are never reused.
`;

/**
 * Returns `ADR.md`: all decisions by area, from the heading and the "Area:" line of each file.
 *
 * @throws PlainError if a file lacks one of them
 */
export function decisionIndex(): string {
  const decisions = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => {
      const [, title, area] = /^# (\d+\. .+)\n\nArea: (.+)\n/.exec(readFileSync(path.join(FOLDER, name), 'utf8')) ?? [];
      if (title === undefined || !AREAS.some((known) => known === area)) {
        throw new PlainError(
          `docs/adr/${name} must begin with "# <number>. <title>" and "Area: ${AREAS.join(' | ')}".`,
        );
      }
      return { area, line: `- [${title}](docs/adr/${name})` };
    });
  const sections = AREAS.map((area) => ({
    area,
    lines: decisions.filter((decision) => decision.area === area).map(({ line }) => line),
  })).filter(({ lines }) => lines.length > 0);
  return `${INTRODUCTION}\n${sections.map(({ area, lines }) => `## ${area}\n\n${lines.join('\n')}\n`).join('\n')}`;
}
