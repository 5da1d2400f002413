import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { appClientSource } from '../../../tools/build/docs/app-client.ts';
import { asyncApiDocument } from '../../../tools/build/docs/asyncapi.ts';
import { decisionIndex } from '../../../tools/build/docs/decision-index.ts';
import { formatted } from '../../../tools/build/docs/formatted.ts';
import { openApiDocument } from '../../../tools/build/docs/openapi.ts';
import { postmanCollection } from '../../../tools/build/docs/postman-collection.ts';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { routeIndex } from '../../../tools/build/docs/route-index.ts';
import { routePolicyMatrix } from '../../../tools/build/docs/route-policy-matrix.ts';

const packageJson: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));

describe('the documentation', () => {
  it('is up to date where it is generated ("npm run docs" writes it)', () => {
    expect(readFileSync('src/route-index.ts', 'utf8')).toBe(routeIndex());
    expect(readFileSync('ADR.md', 'utf8')).toBe(decisionIndex());
    expect(readFileSync('ROUTE_POLICY_MATRIX.md', 'utf8')).toBe(routePolicyMatrix());
    expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(openApiDocument())),
    );
    expect(parse(readFileSync('docs/openapi.yaml', 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
    expect(JSON.parse(readFileSync('docs/asyncapi.json', 'utf8'))).toEqual(asyncApiDocument());
    expect(parse(readFileSync('docs/asyncapi.yaml', 'utf8'))).toEqual(asyncApiDocument());
    expect(JSON.parse(readFileSync('docs/postman-collection.json', 'utf8'))).toEqual(postmanCollection());
    const client = 'app-client/generated/api.ts';
    expect(readFileSync(client, 'utf8')).toBe(formatted(client, appClientSource()));
  });

  it('gives each operation a unique name', () => {
    const ids = Object.values(openApiDocument().paths).flatMap((operations) =>
      Object.values(operations).map((operation) => JSON.stringify(operation).match(/"operationId":"(\w+)"/)?.[1]),
    );
    expect(ids).toHaveLength(routeContracts().length);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('getOtaLatest');
  });

  it("has a Postman request for every route, with the caller's header and no token", () => {
    const requests = postmanCollection().item.flatMap(({ item }) => item);
    expect(requests.map(({ name }) => name).sort()).toEqual(
      routeContracts()
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    );
    for (const { method, path, auth } of routeContracts()) {
      const request = requests.find(({ name }) => name === `${method} ${path}`)?.request;
      const headers = JSON.stringify(request?.header);
      if (auth === 'admin') expect(headers).toContain('"x-admin-token","value":"{{adminToken}}"');
      if (auth === 'cognito') expect(headers).toContain('Bearer {{idToken}}');
      if (auth === 'public') expect(headers).not.toContain('{{');
    }
  });

  it('names only existing commands', () => {
    const pages = [
      'README.md',
      'ADR.md',
      ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ];
    for (const page of pages) {
      for (const [, script = ''] of readFileSync(page, 'utf8').matchAll(/npm run ([\w:-]+)/g)) {
        expect(Object.keys(packageJson.scripts), `${page} names "npm run ${script}"`).toContain(script);
      }
    }
  });

  it('lists the same commands as npm run', () => {
    const listed = [...readFileSync('README.md', 'utf8').matchAll(/^\| `npm (?:run )?([\w:]+)` \|/gm)].map(
      ([, name = '']) => name,
    );
    expect(listed).toEqual(Object.keys(packageJson.scripts).filter((name) => name !== 'prepare'));
  });

  it('names only commands whose file exists', () => {
    for (const [name, command] of Object.entries(packageJson.scripts)) {
      const file = /^tsx (\S+)/.exec(command)?.[1];
      if (file !== undefined) expect(() => readFileSync(file), name).not.toThrow();
    }
  });
});
