import { routeContracts } from '../../tools/build/docs/route-contracts.ts';

/** Known names with a capital in the middle. */
const NAMES = /\b(AutoWatering|WebP|iPhone|KiB|MiB)\b/g;

const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['an HTTP method', /\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b/],
  ['an address', /(^|[\s(“"'`])\/[a-zA-Z{]/],
  ['a header or a type of content', /\b(Content-Type|Authorization|Bearer|application\/\w+|multipart)\b|\bx-[a-z-]+\b/],
  ['a name out of the code', /\b[a-z0-9]+_[a-z0-9_]+\b|\b_+[a-z]\w*|\b[a-z]+[A-Z]\w*|`/],
];

/** The parts of a message that are for developers and not for its reader. */
export function jargonIn(message: string): string[] {
  const text = message.replace(NAMES, '');
  const found = PATTERNS.flatMap(([what, pattern]) => (pattern.test(text) ? [what] : []));
  const words = new Set(text.split(/[^A-Za-z]+/));
  const routes = routeContracts()
    .map(({ path }) => path.split('/')[1] ?? '')
    .filter((name) => /[A-Z]/.test(name) && words.has(name));
  return [...found, ...routes.map((name) => `the route ${name}`)];
}
