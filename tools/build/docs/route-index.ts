import { listedContracts } from './route-contracts.ts';

/** Returns `src/route-index.ts`: the group of each path, so that a container loads only the groups it needs. */
export function routeIndex(): string {
  const lines = listedContracts().map(({ contract: { method, path, auth }, group }) => {
    const closed = auth === 'stripe' ? ', isClosedToPages: true' : '';
    return `  { method: '${method}', path: '${path}', group: '${group}'${closed} },`;
  });
  return `import type { RouteGroup } from './routes.ts';

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
