import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const FOLDER = '.github/workflows';
const Step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.looseObject({}).optional(),
});
const Job = z.looseObject({
  uses: z.string().optional(),
  steps: z.array(Step).default([]),
  'timeout-minutes': z.number().optional(),
});
const Workflow = z.looseObject({
  on: z.unknown(),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), Job),
});

const workflows = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(path.join(FOLDER, name), 'utf8');
  return { name, text, workflow: Workflow.parse(parse(text)) };
});
const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
const steps = workflows.flatMap(({ workflow }) => Object.values(workflow.jobs).flatMap((job) => job.steps));

describe('the workflows', () => {
  it('can only read the code by default', () => {
    for (const { name, workflow } of workflows) {
      for (const right of Object.entries(workflow.permissions))
        expect([name, right]).toEqual([name, ['contents', 'read']]);
    }
  });

  it('have a time limit', () => {
    for (const { name, workflow } of workflows) {
      for (const [job, { uses, 'timeout-minutes': limit }] of Object.entries(workflow.jobs)) {
        if (uses === undefined) expect(limit, `${name} ${job}`).toBeGreaterThan(0);
      }
    }
  });

  it('call only existing commands', () => {
    const called = workflows.flatMap(({ text }) => [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)]);
    expect(called.length).toBeGreaterThan(4);
    for (const [, script = ''] of called) expect(Object.keys(scripts)).toContain(script);
  });

  it("never persist the checkout's token", () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.length).toBeGreaterThan(4);
    for (const { with: options } of checkouts) expect(options).toMatchObject({ 'persist-credentials': false });
  });

  it('put no event data into a shell, since a branch can have any name', () => {
    for (const { run } of steps) expect(run ?? '').not.toMatch(/\$\{\{/);
  });

  it('pin third-party actions to a reviewed commit', () => {
    const foreign = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
    for (const uses of foreign) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  });

  it('hold no AWS key: they assume a role with their own identity', () => {
    for (const { text } of workflows) expect(text).not.toMatch(/AWS_ACCESS_KEY_ID|AWS_SECRET|aws-secret-access-key/);
    const deploying = workflows.find(({ name }) => name === 'deploy-to.yml');
    expect(deploying?.text).toContain('role-to-assume');
    expect(deploying?.text).toContain('id-token: write');
  });

  it('check pull requests on both supported versions of Node', () => {
    expect(JSON.stringify(workflows.find(({ name }) => name === 'checks.yml')?.workflow)).toContain('"node":[22,24]');
  });
});
