import { createHash } from 'node:crypto';
import { MOBILE_PLATFORMS, type MobilePlatform } from '../../platform/messaging/mobile-push.ts';
import { either, fields, number, oneOf, type Shape, text, textThat } from '../../platform/shapes.ts';

interface Common {
  /** Follows from the address or token: the same browser or app is the same endpoint. */
  readonly endpointId: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export type Endpoint = Common &
  (
    | {
        readonly type: 'web_push';
        readonly address: string;
        /** Base64url. */
        readonly p256dh: string;
        readonly auth: string;
        /** The public key that the browser subscribed with. */
        readonly serverKey: string;
      }
    /** `target`: SNS's name for the app on that phone. */
    | { readonly type: 'mobile_push'; readonly platform: MobilePlatform; readonly target: string }
  );

export const SCHEMA = 1;

/** @param address a push service's address, or an app's token */
export function endpointIdOf(address: string): string {
  return createHash('sha256').update(address).digest('base64url').slice(0, 32);
}

const common = { endpoint_id: text, created_at: number };
const readStored: Shape<
  | {
      readonly endpoint_id: string;
      readonly created_at: number;
      readonly endpoint_type: string;
      readonly address: string;
      readonly p256dh: string;
      readonly auth: string;
      readonly server_key: string;
    }
  | {
      readonly endpoint_id: string;
      readonly created_at: number;
      readonly platform: MobilePlatform;
      readonly target: string;
    }
> = either(
  fields({
    ...common,
    endpoint_type: textThat((value) => value === 'web_push', 'web_push'),
    ...{ address: text, p256dh: text, auth: text, server_key: text },
  }),
  fields({ ...common, platform: oneOf(MOBILE_PLATFORMS), target: text }),
);

export function toEndpoint(item: unknown): Endpoint {
  const stored = readStored(item);
  const { endpoint_id: endpointId, created_at: createdAt } = stored;
  if ('address' in stored) {
    const { address, p256dh, auth, server_key: serverKey } = stored;
    return { endpointId, createdAt, type: 'web_push', address, p256dh, auth, serverKey };
  }
  return { endpointId, createdAt, type: 'mobile_push', platform: stored.platform, target: stored.target };
}

export function fromEndpoint(endpoint: Endpoint): Record<string, unknown> {
  const { endpointId, createdAt, type } = endpoint;
  return {
    endpoint_id: endpointId,
    endpoint_type: type,
    created_at: createdAt,
    schema: SCHEMA,
    ...(endpoint.type === 'web_push'
      ? { address: endpoint.address, p256dh: endpoint.p256dh, auth: endpoint.auth, server_key: endpoint.serverKey }
      : { platform: endpoint.platform, target: endpoint.target }),
  };
}
