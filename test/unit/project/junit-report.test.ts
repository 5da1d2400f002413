import { describe, expect, it } from 'vitest';
import { junitReport } from '../../../tools/operations/smoke/junit-report.ts';

describe('a JUnit report', () => {
  it('has counts, times and the reasons for failures', () => {
    const xml = junitReport('https://api.example.com', [
      { name: 'GET /health is alive', ok: true, ms: 12 },
      { name: 'GET /x', ok: false, ms: 1500, error: 'status <503> "busy" & more\nthere' },
    ]);
    expect(xml).toContain('<testsuite name="smoke test of https://api.example.com" tests="2" failures="1"');
    expect(xml).toContain('<testcase classname="smoke" name="GET /health is alive" time="0.012"/>');
    expect(xml).toContain('<failure message="status &lt;503&gt; &quot;busy&quot; &amp; more&#10;there"/>');
  });

  it('contains no characters that XML does not allow', () => {
    expect(junitReport('x', [{ name: 'a\u0000b\u001b[31mc\uffff', ok: true, ms: 0 }])).toContain('name="ab[31mc"');
  });
});
