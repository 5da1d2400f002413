/** The result of one check. */
export interface CheckedResult {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly error?: string;
}

/** Returns the results as JUnit XML with one suite. */
export function junitReport(apiBaseUrl: string, results: readonly CheckedResult[]): string {
  const failures = results.filter(({ ok }) => !ok).length;
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const total = results.reduce((sum, { ms }) => sum + ms, 0);
  const counts = `tests="${results.length}" failures="${failures}" errors="0" skipped="0" time="${seconds(total)}"`;
  const cases = results.map(({ name, ok, ms, error = '' }) => {
    const open = `    <testcase classname="smoke" name="${xmlText(name)}" time="${seconds(ms)}"`;
    return ok ? `${open}/>` : `${open}><failure message="${xmlText(error)}"/></testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="smoke test of ${xmlText(apiBaseUrl)}" ${counts}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' },
  ...{ '\n': '&#10;', '\t': '&#9;' },
};

/** Escapes text for XML. Responses can contain anything, so characters that XML can't represent are removed. */
function xmlText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  return text.replaceAll(/[&<>"\n\t]/g, (one) => ENTITIES[one] ?? '').replaceAll(/[\u0000-\u001f\ufffe\uffff]/g, '');
}
