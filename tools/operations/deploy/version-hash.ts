import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildLambdaBundle } from '../../build/lambda/lambda-bundle.ts';
import { FUNCTION_NAMES } from '../../build/template/granted-rights.ts';
import type { Template } from '../../build/template/template.ts';

/** The parameter of template.yaml with the hash of the functions' next version. */
export const VERSION_PARAMETER = 'VersionSha256';

export type Parameters = Readonly<Record<string, string>>;

/**
 * Returns the hash of everything that makes up a version of the functions: their code, their part of the template, and every
 * parameter. SAM publishes a new version only when this changes.
 *
 * @param code hash of the bundles, see `codeHash`
 * @param parameters as in force after the deployment, see `parametersInForce`
 */
export function versionHash(code: string, template: Template, parameters: Parameters): string {
  const settings = {
    functions: FUNCTION_NAMES.map((name) => template.Resources[name]),
    globals: template['Globals'],
    conditions: template['Conditions'],
    parameters: Object.entries(parameters)
      .filter(([name]) => name !== VERSION_PARAMETER)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  };
  return createHash('sha256').update(code).update(JSON.stringify(settings)).digest('hex');
}

/**
 * Returns the values that CloudFormation will use: the given one, else the stack's from its last deployment (SAM passes
 * UsePreviousValue for parameters that are not given), else the template's default.
 */
export function parametersInForce(template: Template, deployed: Parameters, given: Parameters): Parameters {
  return Object.fromEntries(
    Object.entries(template.Parameters).flatMap(([name, { Default: standard }]) => {
      const value = given[name] ?? deployed[name] ?? standard;
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}

/** Returns the hash of this checkout's Lambda bundles. The same code gives the same hash on every machine. */
export async function bundleHash(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-bundle-'));
  try {
    await Promise.all(FUNCTION_NAMES.map((name) => buildLambdaBundle(path.join(directory, name), {}, name)));
    return await codeHash(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Returns the hash of all files below a directory: relative names and contents. */
export async function codeHash(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
  const sum = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(path.join(directory, file));
    sum.update(JSON.stringify([file.split(path.sep).join('/'), bytes.byteLength])).update(bytes);
  }
  return sum.digest('hex');
}
