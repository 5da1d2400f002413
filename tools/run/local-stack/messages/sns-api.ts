import * as z from 'zod';
import type { Outbox } from './outbox.ts';

const Payload = z.record(z.string(), z.string());
const Apple = z.object({
  aps: z.object({ alert: z.object({ title: z.string(), body: z.string() }) }),
});
const Android = z.object({
  fcmV1Message: z.object({
    message: z.object({ notification: z.object({ title: z.string(), body: z.string() }) }),
  }),
});

export interface SnsAnswer {
  readonly status: number;
  readonly body: string;
}

const BAD_TOKEN = 'invalid-token';

/**
 * SNS's calls for pushes to phones: targets are made from tokens, published to, and deleted. Tokens that contain
 * `invalid-token` are refused; a target is disabled by `SetEndpointAttributes`, as SNS does when a push to it fails.
 */
export function createSnsApi(outbox: Outbox, newId: () => string): (form: URLSearchParams) => SnsAnswer {
  const tokens = new Map<string, string>();
  const disabled = new Set<string>();

  const answer = (action: string, result: string): SnsAnswer => ({
    status: 200,
    body:
      `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${action}Result>${result}</${action}Result>` +
      `<ResponseMetadata><RequestId>${newId()}</RequestId></ResponseMetadata></${action}Response>`,
  });
  const refusal = (status: number, code: string, message: string): SnsAnswer => ({
    status,
    body:
      '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>' +
      `<Code>${code}</Code><Message>${message}</Message></Error><RequestId>${newId()}</RequestId></ErrorResponse>`,
  });

  return (form) => {
    const field = (name: string) => form.get(name) ?? '';
    switch (field('Action')) {
      case 'CreatePlatformEndpoint': {
        const [application, token] = [field('PlatformApplicationArn'), field('Token')];
        if (token === '' || token.includes(BAD_TOKEN)) {
          return refusal(400, 'InvalidParameter', 'Invalid parameter: Token Reason: must be a valid token');
        }
        const known = [...tokens].find(([arn, other]) => other === token && arn.includes(endpointOf(application)))?.[0];
        if (known !== undefined && disabled.has(known)) {
          const reason = `Endpoint ${known} already exists with the same Token, but different attributes.`;
          return refusal(400, 'InvalidParameter', `Invalid parameter: Token Reason: ${reason}`);
        }
        const arn = known ?? `${endpointOf(application)}/${newId()}`;
        tokens.set(arn, token);
        return answer('CreatePlatformEndpoint', `<EndpointArn>${arn}</EndpointArn>`);
      }
      case 'Publish': {
        const token = tokens.get(field('TargetArn'));
        if (token === undefined) return refusal(404, 'NotFound', 'Endpoint does not exist');
        if (disabled.has(field('TargetArn'))) return refusal(400, 'EndpointDisabled', 'Endpoint is disabled');
        const shown = read(field('Message'));
        if (shown === undefined) return refusal(400, 'InvalidParameter', 'Invalid parameter: Message Structure');
        outbox.add({ channel: 'mobile_push', to: token, ...shown, details: { target: field('TargetArn') } });
        return answer('Publish', `<MessageId>${newId()}</MessageId>`);
      }
      case 'SetEndpointAttributes':
        if (!tokens.has(field('EndpointArn'))) return refusal(404, 'NotFound', 'Endpoint does not exist');
        if (field('Attributes.entry.1.value') === 'false') disabled.add(field('EndpointArn'));
        else disabled.delete(field('EndpointArn'));
        return answer('SetEndpointAttributes', '');
      case 'DeleteEndpoint':
        tokens.delete(field('EndpointArn'));
        return answer('DeleteEndpoint', '');
      default:
        return refusal(400, 'InvalidAction', 'This action is not known here');
    }
  };
}

function endpointOf(application: string): string {
  return application.replace(':app/', ':endpoint/');
}

/** What a phone would show: the message is JSON whose values are JSON again. */
function read(message: string): { readonly title: string; readonly text: string } | undefined {
  try {
    const payload = Payload.parse(JSON.parse(message));
    if (payload['default'] === undefined) return undefined;
    if (payload['APNS'] !== undefined) {
      const { alert } = Apple.parse(JSON.parse(payload['APNS'])).aps;
      return { title: alert.title, text: alert.body };
    }
    const { notification } = Android.parse(JSON.parse(payload['GCM'] ?? '')).fcmV1Message.message;
    return { title: notification.title, text: notification.body };
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
