import { listedContracts } from './route-contracts.ts';

/** Returns `src/route-index.ts`: the group of each path, so that a container loads only the groups it needs. */
export function routeIndex(): string {
  const groups = [...new Set(listedContracts().map(({ group }) => group))].sort();
  const lines = listedContracts().map(({ contract: { method, path, auth }, group }) => {
    const closed = auth === 'stripe' ? ', isClosedToPages: true' : '';
    return `  { method: '${method}', path: '${path}', group: '${group}'${closed} },`;
  });
  return `/** Routes that are loaded together, with the first request for one of them. */
export type RouteGroup = ${groups.map((group) => `'${group}'`).join(' | ')};

interface IndexedRoute {
  readonly method: 'GET' | 'POST';
  readonly path: \`/\${string}\`;
  readonly group: RouteGroup;
  readonly isClosedToPages?: true;
}

/** Generated from the route contracts by \`npm run docs\`; a test fails when it is stale. */
export const ROUTE_INDEX: readonly IndexedRoute[] = [
${lines.join('\n')}
];
`;
}
