import { InvalidArgumentError } from 'commander';

/** The name of an environment, as template.yaml takes it. */
export function environmentName(text: string): string {
  if (!/^[a-z][a-z0-9-]{1,15}$/.test(text)) {
    throw new InvalidArgumentError('2 to 16 lower-case letters, digits and dashes, as dev, staging or prod');
  }
  return text;
}
