import type { SignedAnswer, SignedCall } from '../aws/signed-calls.ts';
import type { Log } from '../observability/log.ts';
import { awsOutcomeOf, type SendOutcome } from './outcome.ts';

export const MOBILE_PLATFORMS = ['apple', 'android'] as const;
export type MobilePlatform = (typeof MOBILE_PLATFORMS)[number];

export interface MobileMessage {
  readonly title: string;
  readonly body: string;
  /** For the app: which message it is. Nothing personal: Apple and Google can read it. */
  readonly messageId: string;
  readonly isUrgent: boolean;
}

/** Pushes to apps through SNS, which speaks to Apple and Google. */
export interface MobilePush {
  readonly platforms: readonly MobilePlatform[];
  /**
   * Makes an app's token known.
   *
   * @returns SNS's name for it; undefined if SNS does not accept the token
   * @throws MobilePushError when SNS does not answer
   */
  register(platform: MobilePlatform, token: string): Promise<string | undefined>;
  /** Never throws for what the other side does. */
  send(target: string, platform: MobilePlatform, message: MobileMessage): Promise<SendOutcome>;
  /** A target that is gone already counts as removed. */
  remove(target: string): Promise<void>;
}

/** SNS refused or did not answer. */
export class MobilePushError extends Error {
  override readonly name = 'MobilePushError';
}

const API_VERSION = '2010-03-31';
/** A target that was deleted is no valid parameter to SNS, which says so in words only. */
const GONE = /<Code>(?:EndpointDisabled|NotFound)<\/Code>|TargetArn Reason: No endpoint found/;
const BAD_TOKEN = /<Code>InvalidParameter<\/Code>/;
/** The token has a target that was disabled when a push to it failed: SNS gives no other one while that exists. */
const DISABLED_TARGET = /Endpoint (arn:\S+) already exists with the same Token/;

/** @param applications SNS's platform applications by platform */
export function createMobilePush(
  call: SignedCall,
  applications: Readonly<Partial<Record<MobilePlatform, string>>>,
  log: Pick<Log, 'warn'>,
): MobilePush {
  /** SNS takes forms and answers in XML. */
  const request = (action: string, parameters: Readonly<Record<string, string>>): Promise<SignedAnswer> =>
    call('POST', '/', new URLSearchParams({ Action: action, Version: API_VERSION, ...parameters }).toString());

  const remove = async (target: string): Promise<void> => {
    const { status } = await request('DeleteEndpoint', { EndpointArn: target });
    if (status !== 200) throw new MobilePushError(`SNS answered ${status}`);
  };

  const create = (application: string, token: string): Promise<SignedAnswer> =>
    request('CreatePlatformEndpoint', { PlatformApplicationArn: application, Token: token }).catch((error: unknown) => {
      throw new MobilePushError('SNS did not answer', { cause: error });
    });

  return {
    platforms: MOBILE_PLATFORMS.filter((platform) => applications[platform] !== undefined),

    async register(platform, token) {
      const application = applications[platform];
      if (application === undefined) return undefined;
      let answer = await create(application, token);
      const disabled = answer.status === 400 ? DISABLED_TARGET.exec(answer.body)?.[1] : undefined;
      if (disabled !== undefined) {
        await remove(disabled);
        answer = await create(application, token);
      }
      const { status, body } = answer;
      if (status === 400 && BAD_TOKEN.test(body)) return undefined;
      const target = /<EndpointArn>([^<]+)<\/EndpointArn>/.exec(body)?.[1];
      if (status !== 200 || target === undefined) throw new MobilePushError(`SNS answered ${status}`);
      return target;
    },

    async send(target, platform, message) {
      try {
        const { status, body } = await request('Publish', {
          TargetArn: target,
          MessageStructure: 'json',
          Message: JSON.stringify(envelope(platform, message)),
        });
        if (GONE.test(body)) return 'gone';
        const outcome = awsOutcomeOf(status, body);
        if (outcome !== 'sent') log.warn('SNS did not take a push', { status });
        return outcome;
      } catch (error) {
        log.warn('SNS did not answer', {}, error);
        return 'later';
      }
    },

    remove,
  };
}

/** One message per platform, each as a text of JSON in JSON. */
function envelope(
  platform: MobilePlatform,
  { title, body, messageId, isUrgent }: MobileMessage,
): Record<string, string> {
  const text = `${title}\n${body}`;
  if (platform === 'apple') {
    const aps = {
      alert: { title, body },
      sound: 'default',
      'interruption-level': isUrgent ? 'time-sensitive' : 'active',
    };
    const apple = JSON.stringify({ aps, message_id: messageId });
    return { default: text, APNS: apple, APNS_SANDBOX: apple };
  }
  const android = {
    fcmV1Message: {
      message: {
        notification: { title, body },
        data: { message_id: messageId },
        android: { priority: isUrgent ? 'high' : 'normal' },
      },
    },
  };
  return { default: text, GCM: JSON.stringify(android) };
}
