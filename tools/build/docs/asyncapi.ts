import * as z from 'zod';
import { PEER_FRAMES } from '../../../src/relay/frames/peer-frames.ts';
import { PLAIN_FRAMES } from '../../../src/relay/frames/plain-frames.ts';
import { SERVER_FRAMES, SERVER_HELLO } from '../../../src/relay/frames/server-frames.ts';
import { EXAMPLES } from './relay-examples.ts';

/** Two types are used both ways: the request gets another name. */
const REQUEST_NAMES: Readonly<Record<string, string>> = { snapshot: 'snapshot_request', peers: 'peers_request' };
const requestName = (type: string) => REQUEST_NAMES[type] ?? type;

const MESSAGES: Readonly<Record<string, z.ZodType>> = {
  ...PLAIN_FRAMES,
  server_hello: SERVER_HELLO,
  ...Object.fromEntries(Object.entries(PEER_FRAMES).map(([type, schema]) => [requestName(type), schema])),
  ...SERVER_FRAMES,
};

const HANDSHAKE_MESSAGES = ['client_hello', 'server_hello', 'client_auth', 'error', 'bye'] as const;
const SESSION_MESSAGES = [...Object.keys(PEER_FRAMES).map(requestName), ...Object.keys(SERVER_FRAMES)];

/** What answers a request, beside `error`. */
const REPLIES: Readonly<Record<keyof typeof PEER_FRAMES, readonly (keyof typeof SERVER_FRAMES)[]>> = {
  publish: ['published'],
  subscribe: ['events', 'reset', 'subscribed'],
  replay: ['events', 'reset'],
  snapshot: ['snapshot', 'reset'],
  ack: [],
  ping: ['pong'],
  peers: ['peers'],
  rekey: ['rekeyed'],
};

/** What the server sends unasked. */
const PUSHED = {
  event: 'deliver',
  presence: 'sendPresence',
  peer_changed: 'sendPeerChanged',
  bye: 'sendBye',
  error: 'refuse',
} as const satisfies { readonly [Type in keyof typeof SERVER_FRAMES]?: string };

/** Returns the AsyncAPI 3 document of the relay's frames. Operations are the server's: it receives what peers send. */
export function asyncApiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'AutoWatering relay',
      version: '1',
      description:
        "Keeps an account's phones, tablets and hubs in step. The whole protocol, with the bytes that are signed and " +
        'hashed, is in docs/relay.md; this document has its frames. After the handshake every frame travels inside ' +
        '`sealed`, in both directions. Bytes are base64url without padding, times are milliseconds since 1970.',
    },
    defaultContentType: 'application/json',
    servers: {
      relay: {
        host: '{host}',
        pathname: '/{stage}',
        protocol: 'wss',
        description: '`relay_url` in the answers of `POST /relay/peers` and `GET /relay/peers`',
        variables: { host: { description: 'Of the WebSocket API' }, stage: { default: 'relay' } },
        security: [{ $ref: '#/components/securitySchemes/peer' }],
      },
    },
    channels: {
      connection: {
        address: '/',
        title: 'The connection',
        description: 'What travels over the WebSocket: the handshake in plain text, then sealed frames.',
        messages: messageRefs([...HANDSHAKE_MESSAGES, 'sealed']),
        bindings: { ws: { method: 'GET', headers: SUBPROTOCOL_HEADER, bindingVersion: '0.1.0' } },
      },
      session: {
        address: null,
        title: 'The session',
        description: 'What is inside the sealed frames: JSON text in `c`, encrypted.',
        messages: messageRefs(SESSION_MESSAGES),
      },
    },
    operations: {
      greet: operation('receive', 'connection', ['client_hello'], 'connection', ['server_hello', 'error']),
      authenticate: operation('receive', 'connection', ['client_auth'], 'session', ['session_established']),
      refuseHandshake: operation('send', 'connection', ['error', 'bye']),
      receiveSealed: operation('receive', 'connection', ['sealed']),
      sendSealed: operation('send', 'connection', ['sealed']),
      ...Object.fromEntries(
        Object.entries(REPLIES).map(([type, replies]) => [
          type,
          operation('receive', 'session', [requestName(type)], 'session', [...replies, 'error']),
        ]),
      ),
      ...Object.fromEntries(Object.entries(PUSHED).map(([type, name]) => [name, operation('send', 'session', [type])])),
    },
    components: {
      securitySchemes: {
        peer: {
          type: 'httpApiKey',
          name: 'Sec-WebSocket-Protocol',
          in: 'header',
          description:
            "`autowatering.relay.v1, bearer.<token>`: a peer's access token from `POST /relay/token`, or the user's " +
            'Cognito id token. Checked before a connection exists: 400, 401, 403, 429 or 503 refuse it.',
        },
      },
      messages: Object.fromEntries(Object.entries(MESSAGES).map(([name, schema]) => [name, message(name, schema)])),
    },
  };
}

const SUBPROTOCOL_HEADER = {
  type: 'object',
  properties: {
    'Sec-WebSocket-Protocol': { type: 'string', pattern: '^autowatering\\.relay\\.v1, *bearer\\.' },
  },
  required: ['Sec-WebSocket-Protocol'],
};

function messageRefs(names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function operation(
  action: 'send' | 'receive',
  channel: string,
  messages: readonly string[],
  replyChannel?: string,
  replies: readonly string[] = [],
) {
  const inChannel = (name: string, all: readonly string[]) =>
    all.map((one) => ({ $ref: `#/channels/${name}/messages/${one}` }));
  const summary = messages.length === 1 ? MESSAGES[messages[0] ?? '']?.description : undefined;
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    ...(summary === undefined ? {} : { summary }),
    messages: inChannel(channel, messages),
    ...(replyChannel === undefined
      ? {}
      : { reply: { channel: { $ref: `#/channels/${replyChannel}` }, messages: inChannel(replyChannel, replies) } }),
  };
}

function message(name: string, schema: z.ZodType) {
  const { $schema: _dialect, ...payload } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  const example = EXAMPLES[name];
  if (example === undefined) throw new Error(`the message ${name} has no example`);
  return {
    name,
    title: name,
    ...(schema.description === undefined ? {} : { summary: schema.description }),
    contentType: 'application/json',
    payload: JSON.parse(JSON.stringify(payload)),
    examples: [{ name: 'example', payload: example }],
  };
}
