import { loadContract, type RouteContract } from '../../../src/http/route-contract.ts';
import type { RouteGroup } from '../../../src/route-index.ts';
import { routeGroups } from '../../../src/routes.ts';
import { createServices } from '../../../src/services.ts';

/** A route's contract and group. */
export interface ListedContract {
  readonly contract: RouteContract;
  readonly group: RouteGroup;
}

/** Needed to create the contracts, but never used: nothing connects before a request. */
const services = createServices({
  APP_ENV: 'docs',
  AWS_REGION: 'eu-central-1',
  ARTIFACT_BUCKET: 'docs',
  COGNITO_USER_POOL_ID: 'eu-central-1_Docs',
  COGNITO_CLIENT_IDS: 'docs',
});

const groups = routeGroups(services);
const ORDER = [
  'account',
  'subscriptions',
  'plants',
  'fleet',
  'offer',
  'ota',
  'relay',
  'telemetry',
  'commands',
  'notifications',
  'alive',
  'health',
] as const;
const listed: readonly ListedContract[] = (
  await Promise.all(
    ORDER.map(async (group) =>
      Promise.all(
        (
          await groups[group]()
        ).map(async ({ contract }) => ({
          contract: await loadContract(contract),
          group,
        })),
      ),
    ),
  )
).flat();

export function listedContracts(): readonly ListedContract[] {
  return listed;
}

/** Returns the contracts of all routes. */
export function routeContracts(): readonly RouteContract[] {
  return listed.map(({ contract }) => contract);
}

/** Returns the error codes common to all routes of this kind. */
export function commonErrors(contract: RouteContract): readonly string[] {
  const { auth, method, rateLimit, params, query, body } = contract;
  const identified = auth !== 'public';
  if (auth === 'stripe') {
    return [
      ...['invalid_json', 'invalid_request', 'invalid_signature', 'origin_not_allowed', 'payload_too_large'],
      ...['internal_error', 'service_unavailable'],
    ];
  }
  return [
    ...(contract.premium === true ? ['premium_required'] : []),
    ...(method === 'POST'
      ? [
          ...(contract.bodyKind === 'form' || contract.bodyKind === 'none'
            ? []
            : [contract.bodyKind === 'multipart' ? 'invalid_multipart' : 'invalid_json']),
          'payload_too_large',
          ...(contract.bodyKind === 'none' ? [] : ['unsupported_media_type']),
        ]
      : []),
    ...(params || query || body ? ['validation_failed'] : []),
    ...(identified && auth !== 'cognito-optional' ? ['auth_required', 'origin_not_allowed'] : []),
    ...(identified ? ['invalid_token'] : []),
    ...(auth === 'cognito' || auth === 'cognito-optional' ? ['auth_unavailable'] : []),
    ...(auth === 'cognito' && contract.openToDeletedAccounts !== true ? ['account_deleted'] : []),
    ...(rateLimit === undefined ? [] : ['rate_limited']),
    'invalid_request',
    'internal_error',
    'service_unavailable',
  ];
}
