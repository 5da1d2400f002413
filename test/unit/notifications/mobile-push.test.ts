import { describe, expect, it } from 'vitest';
import type { SignedAnswer, SignedCall } from '../../../src/platform/aws/signed-calls.ts';
import { createMobilePush, MobilePushError } from '../../../src/platform/messaging/mobile-push.ts';

const APPLICATIONS = { apple: 'arn:apple', android: 'arn:android' };
const MESSAGE = { title: 'Leak', body: 'Look', messageId: 'm1', isUrgent: false };

/** SNS as it answers this, or these in turn. */
function answering(
  answers: SignedAnswer | Error | readonly SignedAnswer[],
  applications: Readonly<Record<string, string>> = APPLICATIONS,
) {
  const asked: URLSearchParams[] = [];
  const warnings: string[] = [];
  const call: SignedCall = async (_method, _path, body) => {
    const answer = 'at' in answers ? (answers[asked.length] ?? new Error('asked once too often')) : answers;
    asked.push(new URLSearchParams(body));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const push = createMobilePush(call, applications, { warn: (text) => warnings.push(text) });
  return { push, asked, warnings };
}

const error = (code: string) => ({ status: 400, body: `<Error><Code>${code}</Code></Error>` });

describe('a push to apps', () => {
  it('has the form that each platform reads, with its urgency', async () => {
    for (const isUrgent of [false, true]) {
      const { push, asked } = answering({ status: 200, body: '' });
      expect(await push.send('target', 'apple', { ...MESSAGE, isUrgent })).toBe('sent');
      expect(await push.send('target', 'android', { ...MESSAGE, isUrgent })).toBe('sent');
      const [apple, android] = asked.map((one) => JSON.parse(one.get('Message') ?? ''));
      expect(JSON.parse(apple.APNS)).toMatchObject({
        aps: { alert: { title: 'Leak', body: 'Look' }, 'interruption-level': isUrgent ? 'time-sensitive' : 'active' },
        message_id: 'm1',
      });
      expect(apple.APNS_SANDBOX).toBe(apple.APNS);
      expect(JSON.parse(android.GCM).fcmV1Message.message).toMatchObject({
        android: { priority: isUrgent ? 'high' : 'normal' },
      });
    }
  });

  it.each(['EndpointDisabled', 'NotFound'])('finds its target gone when SNS says %s', async (code) => {
    expect(await answering(error(code)).push.send('target', 'apple', MESSAGE)).toBe('gone');
  });

  it('finds its target gone when SNS has no such parameter', async () => {
    const reason = 'Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified';
    const body = `<Error><Code>InvalidParameter</Code><Message>${reason}</Message></Error>`;
    expect(await answering({ status: 400, body }).push.send('target', 'apple', MESSAGE)).toBe('gone');
    expect(await answering(error('InvalidParameter')).push.send('target', 'apple', MESSAGE)).toBe('refused');
  });

  it('is tried later when SNS has too much to do, or forbids it, which is a fault of ours', async () => {
    for (const answer of [error('Throttling'), { ...error('AuthorizationError'), status: 403 }]) {
      expect(await answering(answer).push.send('target', 'apple', MESSAGE)).toBe('later');
    }
  });

  it('is tried later when SNS does not answer or has a fault, which is logged', async () => {
    for (const answer of [new Error('no route'), { status: 503, body: '' }]) {
      const { push, warnings } = answering(answer);
      expect(await push.send('target', 'apple', MESSAGE)).toBe('later');
      expect(warnings).toHaveLength(1);
    }
  });
});

describe('the registration of an app', () => {
  it('gives SNS’s name for it', async () => {
    const { push } = answering({ status: 200, body: '<EndpointArn>arn:one</EndpointArn>' });
    expect(push.platforms).toEqual(['apple', 'android']);
    expect(await push.register('apple', 'token')).toBe('arn:one');
  });

  it('replaces a target that SNS has disabled: the phone is back', async () => {
    const reason = 'Endpoint arn:old already exists with the same Token, but different attributes.';
    const { push, asked } = answering([
      {
        status: 400,
        body: `<Error><Code>InvalidParameter</Code><Message>Invalid parameter: Token Reason: ${reason}</Message></Error>`,
      },
      { status: 200, body: '' },
      { status: 200, body: '<EndpointArn>arn:new</EndpointArn>' },
    ]);
    expect(await push.register('apple', 'token')).toBe('arn:new');
    expect(asked.map((one) => [one.get('Action'), one.get('EndpointArn')])).toEqual([
      ['CreatePlatformEndpoint', null],
      ['DeleteEndpoint', 'arn:old'],
      ['CreatePlatformEndpoint', null],
    ]);
  });

  it('gives none for a token that SNS does not accept, nor for a platform that is not set up', async () => {
    expect(await answering(error('InvalidParameter')).push.register('apple', 'token')).toBeUndefined();
    const bare = answering({ status: 200, body: '' }, { apple: 'arn:apple' });
    expect(bare.push.platforms).toEqual(['apple']);
    expect(await bare.push.register('android', 'token')).toBeUndefined();
    expect(bare.asked).toEqual([]);
  });

  it('fails when SNS refuses otherwise, says nothing of it, or is not there', async () => {
    for (const answer of [error('Throttled'), { status: 200, body: 'nothing' }, new Error('no route')]) {
      await expect(answering(answer).push.register('apple', 'token')).rejects.toThrow(MobilePushError);
    }
  });

  it('is taken back; a refusal is an error', async () => {
    await answering({ status: 200, body: '' }).push.remove('arn:one');
    await expect(answering(error('Throttled')).push.remove('arn:one')).rejects.toThrow('SNS answered 400');
  });
});
