import { DEFAULT_BODY_LIMIT } from '../../../src/http/body/body-limit.ts';
import { throttleOf } from '../../../src/http/checks/throttle.ts';
import type { RouteContract } from '../../../src/http/route-contract.ts';
import { commonErrors, routeContracts } from './route-contracts.ts';

/** Returns ROUTE_POLICY_MATRIX.md: callers, limits and errors of every route. */
export function routePolicyMatrix(): string {
  const rows = routeContracts().map((contract) => {
    const { method, path, auth, rateLimit, bodyLimit = DEFAULT_BODY_LIMIT, errors } = contract;
    return [
      `\`${method} ${path}\``,
      [
        auth,
        ...(contract.premium === true ? ['premium'] : []),
        ...(contract.openToPeers === true ? ['peers'] : []),
      ].join(', '),
      rateLimit === undefined ? '–' : limitText(rateLimit),
      throttleText(contract),
      method === 'POST' ? `${bodyLimit / 1024} KiB` : '–',
      list(errors),
      list(commonErrors(contract)),
    ];
  });
  const head = ['Route', 'Caller', 'Rate limit', 'All callers', 'Body', 'Own errors', 'Common errors'];
  return [
    '# Route policy matrix',
    '',
    'Generated from the route table by `npm run docs`; a test fails when it is stale.',
    '',
    'Callers: `public` anyone · `cognito` a signed-in user · `cognito-optional` anyone; a token is checked if sent ·',
    "`peers` also the user's peers, with tokens of the relay ·",
    '`factory` the factory token · `admin` the admin token · `stripe` signed with the webhook secret. Rate limits are per user, or per address without one; those per device count what was taken in of the user’s device.',
    "All callers: the gateway's throttle for all callers together, in requests per second and burst.",
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}

function limitText({ requests, windowSeconds, per, andPerAddress }: NonNullable<RouteContract['rateLimit']>): string {
  const behind = andPerAddress === undefined ? '' : `, ${andPerAddress} per address`;
  return `${requests} in ${windowSeconds} s${per === undefined ? '' : ` per ${per}`}${behind}`;
}

function throttleText(contract: RouteContract): string {
  const { requestsPerSecond, burst } = throttleOf(contract);
  return `${requestsPerSecond}/s, burst ${burst}`;
}

function list(codes: readonly string[]): string {
  return codes.length === 0 ? '–' : codes.map((code) => `\`${code}\``).join(' ');
}
