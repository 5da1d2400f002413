import { createECDH } from 'node:crypto';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import {
  CreatePlatformEndpointCommand,
  DeleteEndpointCommand,
  PublishCommand,
  SetEndpointAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MessagesStandIn, startMessages } from '../../../tools/run/local-stack/messages/messages-stand-in.ts';
import { decryptPush } from '../../../tools/run/local-stack/messages/push-decryption.ts';

const KEY = { id: 'key', secret: 'secret' };
const client = (endpoint: string, secretAccessKey = KEY.secret) => ({
  ...{ endpoint, region: 'eu-central-1', maxAttempts: 1 },
  credentials: { accessKeyId: KEY.id, secretAccessKey },
});

let messages: MessagesStandIn;
beforeAll(async () => {
  messages = await startMessages({ accessKey: KEY });
});
afterAll(() => messages.stop());

const mail = (more: object = {}) =>
  new SendEmailCommand({
    FromEmailAddress: 'AutoWatering <a@example.com>',
    Destination: { ToAddresses: ['b@example.com'] },
    Content: {
      Simple: {
        Subject: { Data: 'Hello' },
        Body: { Text: { Data: 'Good day' } },
        Headers: [{ Name: 'List-Unsubscribe', Value: '<https://example.com>' }],
      },
    },
    ...more,
  });

describe('the local SES', () => {
  it('takes a mail of the AWS SDK, whose key it checks, and refuses a bad one', async () => {
    const { MessageId: id } = await new SESv2Client(client(messages.url)).send(mail());
    expect(id).toEqual(expect.any(String));
    expect(messages.sent().at(-1)).toMatchObject({ channel: 'email', to: 'b@example.com', title: 'Hello' });
    const bad = new SESv2Client(client(messages.url)).send(mail({ FromEmailAddress: 'nobody' }));
    await expect(bad).rejects.toMatchObject({ name: 'BadRequestException' });
    const stranger = new SESv2Client(client(messages.url, 'wrong')).send(mail());
    await expect(stranger).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });
});

describe('the local SNS', () => {
  it('answers the AWS SDK, which reads target, message and refusals as it expects', async () => {
    const sns = new SNSClient(client(messages.url));
    const application = 'arn:aws:sns:eu-central-1:000000000000:app/GCM/local';
    const register = (Token: string) =>
      sns.send(new CreatePlatformEndpointCommand({ PlatformApplicationArn: application, Token }));
    const { EndpointArn: target = '' } = await register('token-1');
    expect(target).toMatch(/^arn:aws:sns:eu-central-1:000000000000:endpoint\/GCM\/local\//);
    expect((await register('token-1')).EndpointArn).toBe(target);
    await expect(register('invalid-token')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    const notification = { fcmV1Message: { message: { notification: { title: 'Leak', body: 'Look' } } } };
    const publish = () =>
      sns.send(
        new PublishCommand({
          TargetArn: target,
          MessageStructure: 'json',
          Message: JSON.stringify({ default: 'Leak', GCM: JSON.stringify(notification) }),
        }),
      );
    await publish();
    expect(messages.sent().at(-1)).toMatchObject({
      channel: 'mobile_push',
      to: 'token-1',
      title: 'Leak',
      text: 'Look',
    });
    await sns.send(new SetEndpointAttributesCommand({ EndpointArn: target, Attributes: { Enabled: 'false' } }));
    await expect(publish()).rejects.toMatchObject({ name: 'EndpointDisabledException' });
    await expect(register('token-1')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await sns.send(new DeleteEndpointCommand({ EndpointArn: target }));
    await expect(publish()).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});

describe('the local push service', () => {
  it('reads the message of RFC 8291, and no other browser’s', () => {
    const message = Buffer.from(
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_' +
        'yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
      'base64url',
    );
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'));
    const auth = Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url');
    expect(decryptPush(message, { ecdh, auth }).toString()).toBe('When I grow up, I want to be a watermelon');
    expect(() => decryptPush(message, { ecdh, auth: Buffer.alloc(16) })).toThrow('not encrypted for this browser');
    expect(() => decryptPush(message.subarray(0, 40), { ecdh, auth })).toThrow('not one record');
  });

  it('shows what came on a page, with nothing of a message taken for HTML', async () => {
    await new SESv2Client(client(messages.url)).send(
      mail({ Content: { Simple: { Subject: { Data: '<script>alert(1)</script>' }, Body: { Text: { Data: 'x' } } } } }),
    );
    const page = await (await fetch(messages.url)).text();
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<script>');
  });
});
