import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../tools/cli/plain-error.ts';
import { namedSystem } from '../../../tools/cli/target/named-system.ts';
import { confirmProduction } from '../../../tools/cli/target/say-where.ts';

const machine = { apiBaseUrl: undefined, atTerminal: false };
const terminal = { apiBaseUrl: undefined, atTerminal: true };
const withVariable = { apiBaseUrl: 'https://api.example.com', atTerminal: false };

describe('the system a command uses', () => {
  it('is the local stack by default on a terminal, and has no default elsewhere', () => {
    expect(namedSystem({}, terminal)).toMatchObject({ kind: 'local', isDefault: true });
    expect(() => namedSystem({}, machine)).toThrow(UsageError);
    expect(() => namedSystem({}, machine)).toThrow(/--env.*--local.*--api-base-url/);
  });

  it.each([
    ['--env', { env: 'staging' }, { kind: 'environment', environment: 'staging' }],
    ['--api-base-url', { apiBaseUrl: 'http://127.0.0.1:1' }, { kind: 'api', apiBaseUrl: 'http://127.0.0.1:1' }],
    ['--local', { local: true }, { kind: 'local', isDefault: false }],
    ['--stack', { stack: 'elsewhere' }, { kind: 'local', directory: 'elsewhere' }],
  ])('is selected by %s, regardless of API_BASE_URL', (_flag, options, expected) => {
    expect(namedSystem(options, withVariable)).toMatchObject(expected);
  });

  it('is the one in API_BASE_URL when no flag is given, even on a terminal', () => {
    for (const caller of [withVariable, { ...withVariable, atTerminal: true }]) {
      expect(namedSystem({}, caller)).toMatchObject({ kind: 'api', namedBy: 'API_BASE_URL' });
    }
    expect(() => namedSystem({}, { ...machine, apiBaseUrl: '' })).toThrow('Which system?');
  });

  it('cannot be two at once', () => {
    expect(() => namedSystem({ env: 'prod', local: true }, machine)).toThrow('--env and --local name different');
    expect(() => namedSystem({ env: 'prod', stack: '.local' }, terminal)).toThrow('--env and --stack');
    expect(() => namedSystem({ env: 'prod', apiBaseUrl: 'https://a.example' }, machine)).toThrow(UsageError);
  });

  it('needs a valid URL as its address', () => {
    for (const apiBaseUrl of ['api.example.com', 'ftp://a.example', '$API']) {
      expect(() => namedSystem({ apiBaseUrl }, machine), apiBaseUrl).toThrow('is not a URL');
    }
  });
});

describe('before a change to production, a person', () => {
  const answering = async (answer: string) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const confirmed = confirmProduction(input, output);
    input.write(`${answer}\n`);
    await confirmed;
    return String(output.read());
  };

  it('types its name to confirm', async () => {
    expect(await answering('prod')).toContain('Type prod to continue');
  });

  it.each(['y', '', 'staging'])('cancels by typing “%s”', async (answer) => {
    await expect(answering(answer)).rejects.toThrow('Nothing was changed.');
  });
});
