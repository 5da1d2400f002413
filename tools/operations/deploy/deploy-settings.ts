import * as z from 'zod';
import type { Template } from '../../build/template/template.ts';
import { PlainError } from '../../cli/plain-error.ts';
import { samSettings } from '../../cli/target/sam-config.ts';

/** What to deploy and where: samconfig.toml, overridden by the caller's parameters. */
export interface DeploySettings {
  readonly environment: string;
  readonly stackName: string;
  readonly region: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * @param region as resolved by `settleAws`
 * @param given `Name=value` pairs, which override samconfig.toml
 * @throws PlainError that lists every unknown, missing or malformed parameter
 */
export async function deploySettings(
  environment: string,
  region: string | undefined,
  given: readonly string[],
  template: Template,
  configFile: string,
): Promise<DeploySettings> {
  const config = await samSettings(environment, configFile);
  const parameters = {
    ...Object.fromEntries([...config.parameters, ...given].map(pair)),
    Environment: environment,
  };
  const faults = parameterFaults(parameters, template);
  if (faults.length > 0) {
    throw new PlainError(`Invalid parameters:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
  return {
    environment,
    stackName: config.stackName,
    region,
    parameters,
  };
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new PlainError(`“${text}” is not a parameter. Expected Name=value.`);
  // Quotes are removed as SAM does: an empty value has to be quoted in samconfig.toml.
  return [text.slice(0, at), text.slice(at + 1).replace(/^"(.*)"$/, '$1')];
}

const Parameter = z.looseObject({
  Description: z.string().default(''),
  Default: z.union([z.string(), z.number()]).optional(),
  AllowedPattern: z.string().optional(),
  AllowedValues: z.array(z.union([z.string(), z.number()])).optional(),
});

/** Reports all faults at once; CloudFormation would report them one at a time, minutes later. */
function parameterFaults(values: Readonly<Record<string, string>>, template: Template): readonly string[] {
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(template.Parameters, name));
  const wrong = Object.entries(template.Parameters).flatMap(([name, schema]) => {
    const {
      Description: about,
      Default: standard,
      AllowedPattern: pattern,
      AllowedValues: allowed,
    } = Parameter.parse(schema);
    const value = values[name];
    if (value === undefined) return standard === undefined ? [`${name} is missing (${about})`] : [];
    if (pattern !== undefined && !new RegExp(pattern).test(value)) return [`${name} is malformed (${about})`];
    if (allowed !== undefined && !allowed.map(String).includes(value))
      return [`${name} must be one of ${allowed.join(', ')}`];
    return [];
  });
  const open = values['AllowedOrigins'] === '*' && values['Environment'] !== 'dev';
  return [
    ...unknown.map((name) => `${name} is not a parameter of the template`),
    ...wrong,
    ...(open ? ['AllowedOrigins can only be * in dev'] : []),
    ...(values['DomainName'] && !values['CertificateArn'] ? ['DomainName also needs CertificateArn'] : []),
  ];
}
