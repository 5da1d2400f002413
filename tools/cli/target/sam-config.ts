import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import * as z from 'zod';

export const SAM_CONFIG = fileURLToPath(new URL('../../../samconfig.toml', import.meta.url));

const Parameters = z.looseObject({
  stack_name: z.string().optional(),
  region: z.string().optional(),
  profile: z.string().optional(),
  parameter_overrides: z.string().optional(),
});

const SamConfig = z.record(
  z.string(),
  z.union([z.number(), z.looseObject({ deploy: z.looseObject({ parameters: Parameters }).optional() })]),
);

/** The settings of an environment in samconfig.toml. */
export interface SamSettings {
  readonly stackName: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** `Name=value` pairs. */
  readonly parameters: readonly string[];
}

/** Reads an environment's settings. One that is not in the file gets the default stack name and no other settings. */
export async function samSettings(environment: string, file: string = SAM_CONFIG): Promise<SamSettings> {
  const section = SamConfig.parse(parse(await readFile(file, 'utf8')))[environment];
  const config = typeof section === 'object' ? (section.deploy?.parameters ?? {}) : {};
  return {
    stackName: config.stack_name ?? `autowatering-${environment}`,
    region: config.region,
    profile: config.profile,
    parameters: (config.parameter_overrides ?? '').split(/\s+/).filter((one) => one !== ''),
  };
}
