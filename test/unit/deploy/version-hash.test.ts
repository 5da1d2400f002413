import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { buildLambdaBundle } from '../../../tools/build/lambda/lambda-bundle.ts';
import { parseTemplate, readTemplate, type Template } from '../../../tools/build/template/template.ts';
import { deploySettings } from '../../../tools/operations/deploy/deploy-settings.ts';
import {
  codeHash,
  parametersInForce,
  VERSION_PARAMETER,
  versionHash,
} from '../../../tools/operations/deploy/version-hash.ts';

/*
 * AutoPublishAlias compares only the code, so a deployment with other settings left "live" unchanged. SAM's translator
 * is a Python program and is not run here; its answers are recorded (tools/build/template/version-ids.py).
 */

const Recorded = z.object({
  translator: z.string(),
  cases: z.array(
    z.object({
      name: z.string(),
      parameters: z.looseObject({ VersionSha256: z.string() }),
      version_id: z.string(),
    }),
  ),
});

let template: Template;
let text: string;
let folder: string;
beforeAll(async () => {
  [template, text] = await Promise.all([readTemplate(), readFile('template.yaml', 'utf8')]);
  folder = await mkdtemp(path.join(tmpdir(), 'version-hash-'));
});
afterAll(() => rm(folder, { recursive: true }));

const GIVEN = { Environment: 'staging', UserPoolId: 'eu-central-1_AbC123', UserPoolClientIds: 'abc' };
const hashWith = (given: object, changed = template) =>
  versionHash('code', changed, parametersInForce(changed, {}, { ...GIVEN, ...given }));

describe('the version hash', () => {
  it("is the same when nothing has changed, whatever the last deployment's hash was", () => {
    expect(hashWith({})).toMatch(/^[0-9a-f]{64}$/);
    expect(hashWith({ [VERSION_PARAMETER]: 'f'.repeat(64) })).toBe(hashWith({}));
    const reordered = parametersInForce(template, {}, Object.fromEntries(Object.entries(GIVEN).reverse()));
    expect(versionHash('code', template, reordered)).toBe(hashWith({}));
  });

  it('changes with every parameter', () => {
    const hashes = Object.keys(template.Parameters)
      .filter((name) => name !== VERSION_PARAMETER)
      .map((name) => hashWith({ [name]: 'another value' }));
    expect(new Set([hashWith({}), ...hashes]).size).toBe(hashes.length + 1);
  });

  it('changes with the code', () => {
    const parameters = parametersInForce(template, {}, GIVEN);
    expect(versionHash('other code', template, parameters)).not.toBe(versionHash('code', template, parameters));
  });

  it.each([
    ['memory', 'MemorySize: 512', 'MemorySize: 1024'],
    ['time limit', 'Timeout: 29', 'Timeout: 20'],
    ['a variable', 'APP_ENV: !Ref Environment', 'APP_ENV: other'],
    ['a default', 'Default: autowatering', 'Default: watering'],
    ['a condition', 'HasTracing: !Not [!Equals [!Ref TracingLayerArn, ""]]', 'HasTracing: !Equals [a, a]'],
  ])('changes with %s in the template', (_what, before, after) => {
    expect(text).toContain(before);
    expect(hashWith({}, parseTemplate(text.replace(before, after)))).not.toBe(hashWith({}));
  });

  it('differs within the ten characters that SAM uses', () => {
    expect(hashWith({}).slice(0, 10)).not.toBe(hashWith({ ClaimProof: 'optional' }).slice(0, 10));
  });
});

describe('the parameters in force', () => {
  it("are the given ones, then the stack's, then the defaults", () => {
    const deployed = { ClaimProof: 'optional', StripePriceId: 'price_1', NotThereAnyMore: 'x' };
    const inForce = parametersInForce(template, deployed, { ...GIVEN, StripePriceId: 'price_2' });
    expect(inForce).toMatchObject({ ClaimProof: 'optional', StripePriceId: 'price_2', LogRetentionDays: '30' });
    expect(inForce).not.toHaveProperty('NotThereAnyMore');
  });
});

describe('the code hash', () => {
  const directory = () => path.join(folder, 'code');
  beforeEach(async () => {
    await rm(directory(), { recursive: true, force: true });
    await mkdir(path.join(directory(), 'chunks'), { recursive: true });
    await writeFile(path.join(directory(), 'handler.mjs'), 'export const a = 1;');
    await writeFile(path.join(directory(), 'chunks', 'b.mjs'), 'export const b = 2;');
  });

  it('changes with a byte, a name or an additional file', async () => {
    const hashes = [await codeHash(directory())];
    await writeFile(path.join(directory(), 'handler.mjs'), 'export const a = 2;');
    hashes.push(await codeHash(directory()));
    await rename(path.join(directory(), 'chunks', 'b.mjs'), path.join(directory(), 'chunks', 'c.mjs'));
    hashes.push(await codeHash(directory()));
    await writeFile(path.join(directory(), 'd.mjs'), '');
    hashes.push(await codeHash(directory()));
    expect(new Set(hashes).size).toBe(4);
  });

  it('is the same for one checkout, wherever it is built', async () => {
    const bundles = await Promise.all(
      ['one', 'other/deeper'].map((name) => buildLambdaBundle(path.join(folder, name))),
    );
    const [one, other] = await Promise.all(bundles.map((bundle) => codeHash(bundle.directory)));
    expect(one).toBe(other);
  });
});

describe("SAM's translator", () => {
  it('names a version after the given hash, or after the code alone without one', async () => {
    const { cases } = Recorded.parse(JSON.parse(await readFile('test/fixtures/sam/version-ids.json', 'utf8')));
    for (const { name, parameters, version_id: id } of cases.filter((one) => one.parameters.VersionSha256 !== '')) {
      expect(id, name).toBe(`BackendVersion${parameters.VersionSha256.slice(0, 10)}`);
    }
    const without = cases.filter(({ parameters }) => parameters.VersionSha256 === '').map((one) => one.version_id);
    // The same code with other code, then with other settings. The latter is why the hash is passed.
    expect([without[1] === without[0], without[2] === without[0]]).toEqual([false, true]);
  });

  it('gets the hash through the recorded parameter', () => {
    expect(template.Resources['Backend']?.Properties['AutoPublishCodeSha256']).toEqual({ '!Ref': VERSION_PARAMETER });
  });

  it('gets no hash from deployments without this tool, so that new code goes live', async () => {
    for (const environment of ['dev', 'staging', 'prod']) {
      const given = Object.entries(GIVEN).map(([name, value]) => `${name}=${value}`);
      const { parameters } = await deploySettings(environment, undefined, given, template, 'samconfig.toml');
      expect(parameters[VERSION_PARAMETER], environment).toBe('');
    }
  });
});
