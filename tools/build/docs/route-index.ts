import { listedContracts } from './route-contracts.ts';

/** `src/route-index.ts`: which address belongs to which group of routes, so that a container loads only what it is asked for. */
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

/** Written by "npm run docs" from the contracts of the routes; the test of the documents finds it stale. */
export const ROUTE_INDEX: readonly IndexedRoute[] = [
${lines.join('\n')}
];
`;
}
