import { listed } from '../../platform/aws/secrets.ts';
import type { Uid } from '../../platform/ids.ts';
import type { SendOutcome } from '../../platform/messaging/outcome.ts';
import { readVapidKey, type VapidKey } from '../../platform/messaging/web-push/vapid.ts';
import type { Services } from '../../platform/services.ts';
import type { Composition } from '../delivery/composition.ts';
import type { Recipient } from '../delivery/recipient.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Channel } from '../settings/preferences.ts';
import { signUnsubscription } from '../unsubscribe/unsubscribe-token.ts';
import { mailOf } from './mail-text.ts';
import { mobilePushOf, webPushOf } from './push-texts.ts';

/** One browser, app or mailbox that gets a message. */
export interface Target {
  /** The endpoint's id, or `email`. */
  readonly id: string;
  readonly channel: Channel;
  send(composition: Composition): Promise<SendOutcome>;
}

export const MAIL_TARGET = 'email';

type Needs = Pick<Services, 'clock' | 'config' | 'log' | 'messengers' | 'secrets' | 'userDirectory'>;

/** Lists everywhere that an account's messages can go, by the channels that this environment has. */
export function createTargets({ clock, config, log, messengers, secrets, userDirectory }: Needs) {
  const vapidKeys = async (): Promise<readonly VapidKey[]> =>
    listed((await secrets.values()).VAPID_KEY).map(readVapidKey);

  const notRemoved = (error: unknown) => log.warn('SNS keeps a target that nobody uses', {}, error);

  const mailTo = async (uid: Uid, composition: Composition, { reader }: Recipient): Promise<SendOutcome> => {
    const { mail } = await messengers();
    const [key] = listed((await secrets.values()).UNSUBSCRIBE_KEY);
    const linkBase = config.notifications.linkBaseUrl ?? config.apiBaseUrl;
    if (mail === undefined || key === undefined || linkBase === undefined) {
      log.error('Mails need UNSUBSCRIBE_KEY and LINK_BASE_URL, for the links that end them');
      return 'refused';
    }
    let address: string | undefined;
    try {
      const user = await userDirectory.findById(uid);
      // Whoever signs up with a stranger's address must not have this service write to them.
      address = user?.emailVerified === true ? (user.email ?? undefined) : undefined;
    } catch (error) {
      log.warn('The user pool did not answer; a mail waits', {}, error);
      return 'later';
    }
    if (address === undefined) return 'refused';
    const link = (scope: Composition['scope']) => {
      const token = signUnsubscription({ uid, scope }, key, clock.now());
      return `${linkBase}/notifications/unsubscribe?token=${token}`;
    };
    return mail.send(
      mailOf(address, composition, reader.language, { ofKind: link(composition.scope), all: link('all') }),
    );
  };

  return async (uid: Uid, recipient: Recipient): Promise<readonly Target[]> => {
    const { webPush, mail, mobilePush } = await messengers();
    const { language } = recipient.reader;
    const keys = webPush === undefined ? [] : await vapidKeys();

    const targetOf = (endpoint: Endpoint): Target | undefined => {
      const { endpointId: id, type: channel } = endpoint;
      if (endpoint.type === 'mobile_push') {
        const { target, platform } = endpoint;
        return (
          mobilePush && {
            id,
            channel,
            send: async (composition) => {
              const outcome = await mobilePush.send(target, platform, mobilePushOf(composition, language));
              // SNS keeps the target, disabled; the same phone could otherwise never be set up again.
              if (outcome === 'gone') await mobilePush.remove(target).catch(notRemoved);
              return outcome;
            },
          }
        );
      }
      const { address, p256dh, auth, serverKey } = endpoint;
      // A browser takes pushes under the key that it subscribed with and no other.
      const key = keys.find(({ publicKey }) => publicKey === serverKey);
      const subscription = { address, p256dh: Buffer.from(p256dh, 'base64url'), auth: Buffer.from(auth, 'base64url') };
      return (
        webPush && {
          ...{ id, channel },
          send: async (composition) =>
            key === undefined ? 'gone' : webPush.send(subscription, key, webPushOf(composition, language)),
        }
      );
    };

    return [
      ...recipient.endpoints.flatMap((endpoint) => targetOf(endpoint) ?? []),
      ...(mail === undefined
        ? []
        : [
            {
              id: MAIL_TARGET,
              channel: 'email',
              send: (composition: Composition) => mailTo(uid, composition, recipient),
            } as const,
          ]),
    ];
  };
}

export type TargetsOf = ReturnType<typeof createTargets>;
