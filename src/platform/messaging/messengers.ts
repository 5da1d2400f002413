import { serviceEndpoint } from '../aws/json/service-endpoint.ts';
import { createSignedCalls, type SignedCallsOptions } from '../aws/signed-calls.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Randomness } from '../ids.ts';
import type { Log } from '../observability/log.ts';
import { createMailSender, type MailSender } from './mail.ts';
import { createMobilePush, type MobilePush } from './mobile-push.ts';
import { createWebPush, type WebPush } from './web-push/web-push.ts';

/** The ways out to people. Undefined: not configured in this environment. */
export interface Messengers {
  readonly webPush: WebPush | undefined;
  readonly mail: MailSender | undefined;
  readonly mobilePush: MobilePush | undefined;
}

const TIMEOUT_MS = 5_000;

export function createMessengers(
  { region, notifications }: Pick<Config, 'region' | 'notifications'>,
  env: Readonly<Record<string, string | undefined>>,
  { clock, randomness, log }: { readonly clock: Clock; readonly randomness: Randomness; readonly log: Log },
): Messengers {
  const { mailFrom, pushContact, extraPushOrigins, mobileApplications } = notifications;
  const calls = (
    name: string,
    { host, service, ...more }: Pick<SignedCallsOptions, 'service' | 'contentType'> & { readonly host: string },
  ) => {
    const endpoint = serviceEndpoint(env, { name, host, region }).href.replace(/\/$/, '');
    return createSignedCalls({ endpoint, region, service, timeoutMs: TIMEOUT_MS, clock, ...more });
  };
  const form = 'application/x-www-form-urlencoded; charset=utf-8';
  return {
    webPush:
      pushContact === undefined
        ? undefined
        : createWebPush({
            ...{ contact: pushContact, extraOrigins: extraPushOrigins, timeoutMs: TIMEOUT_MS },
            ...{ clock, randomness, log },
          }),
    mail:
      mailFrom === undefined
        ? undefined
        : createMailSender(calls('SESV2', { host: 'email', service: 'ses' }), mailFrom, log),
    mobilePush:
      Object.keys(mobileApplications).length === 0
        ? undefined
        : createMobilePush(calls('SNS', { host: 'sns', service: 'sns', contentType: form }), mobileApplications, log),
  };
}
