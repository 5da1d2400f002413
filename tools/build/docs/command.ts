import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { appClientSource } from './app-client.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { decisionIndex } from './decision-index.ts';
import { formatted } from './formatted.ts';
import { openApiDocument } from './openapi.ts';
import { postmanCollection } from './postman-collection.ts';
import { routeIndex } from './route-index.ts';
import { routePolicyMatrix } from './route-policy-matrix.ts';

const FILES = [
  { path: 'docs/openapi.json', content: () => json(openApiDocument()) },
  // The same for people and tools that prefer YAML. Aliases would make it shorter, but harder to read.
  { path: 'docs/openapi.yaml', content: () => stringify(openApiDocument(), { aliasDuplicateObjects: false }) },
  { path: 'docs/asyncapi.json', content: () => json(asyncApiDocument()) },
  { path: 'docs/asyncapi.yaml', content: () => stringify(asyncApiDocument(), { aliasDuplicateObjects: false }) },
  { path: 'docs/postman-collection.json', content: () => json(postmanCollection()) },
  { path: 'ADR.md', content: decisionIndex },
  { path: 'src/route-index.ts', content: routeIndex },
  { path: 'ROUTE_POLICY_MATRIX.md', content: routePolicyMatrix },
  { path: 'app-client/generated/api.ts', content: () => formatted('app-client/generated/api.ts', appClientSource()) },
] as const;

await runCommand(() =>
  new Command('npm run docs --')
    .description(
      'Generates the API documents and the app client from the route table and the relay’s frames, and the index of decisions.',
    )
    .option('--check', 'write nothing, and fail if a file is stale', false)
    .addHelpText('after', '\nExamples:\n  npm run docs\n  npm run docs -- --check\n')
    .action(async ({ check }: { check: boolean }) => {
      const stale: string[] = [];
      for (const { path, content } of FILES) {
        const file = fileURLToPath(new URL(`../../../${path}`, import.meta.url));
        const fresh = await content();
        if ((await readFile(file, 'utf8').catch(() => '')) === fresh) continue;
        stale.push(path);
        if (!check) await writeFile(file, fresh);
      }
      if (check && stale.length > 0) throw new PlainError(`${stale.join(' and ')} are stale: run "npm run docs".`);
      console.log(stale.length === 0 ? 'Everything is up to date.' : `Wrote ${stale.join(' and ')}.`);
    }),
);

function json(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
