import { describe, expect, it } from 'vitest';
import { systemTrouble } from '../../../tools/cli/system-trouble.ts';
import { awsAnswer, awsTrouble } from '../../../tools/cli/target/aws-trouble.ts';

const named = (name: string, message: string, fields: object = {}) =>
  Object.assign(new Error(message), { name, ...fields });

describe('an error that people can fix', () => {
  it.each([
    [named('CredentialsProviderError', 'Could not resolve credentials using profile: [ops]'), /sign in.*\[ops\]/],
    [named('ExpiredToken', 'expired'), /rejected the credentials \(ExpiredToken\)/],
    [named('NoSuchBucket', 'The specified bucket does not exist'), /Is the environment deployed/],
    [named('ResourceNotFoundException', 'Requested resource not found'), /Is the environment deployed/],
    [named('ThrottlingException', 'Rate exceeded'), /throttled the request/],
  ])('is one sentence for %s', (error, sentence) => {
    expect(awsTrouble(error)).toMatch(sentence);
  });

  it('names the host when every address refuses the connection', () => {
    const attempt = (address: string) =>
      named('Error', 'refused', { code: 'ECONNREFUSED', address, port: 443, syscall: 'connect' });
    const all = new AggregateError([attempt('::1'), attempt('127.0.0.1')]);
    const failed = new TypeError('fetch failed', { cause: Object.assign(all, { code: 'ECONNREFUSED' }) });
    expect(systemTrouble(failed)).toBe("::1:443 can't be reached: connection refused (ECONNREFUSED).");
  });

  it('names the host that cannot be resolved, or the missing file', () => {
    expect(systemTrouble(named('Error', 'x', { code: 'ENOTFOUND', hostname: 'api.example.com' }))).toMatch(
      /^api\.example\.com can't be reached: unknown host name/,
    );
    expect(systemTrouble(named('Error', 'x', { code: 'ENOENT', path: '/no/file' }))).toBe('/no/file does not exist.');
  });

  it('shows one line of other AWS errors, and hides nothing of our own bugs', () => {
    expect(awsAnswer(named('ValidationException', 'one\ntwo', { $metadata: {} }))).toBe(
      'AWS returned ValidationException: one',
    );
    const ours = new TypeError('undefined is not a function');
    expect([awsTrouble(ours), systemTrouble(ours), awsAnswer(ours)]).toEqual([undefined, undefined, undefined]);
  });
});
