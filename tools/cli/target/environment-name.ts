import { InvalidArgumentError } from 'commander';

/** Parses the name of an environment, with the rules of template.yaml. */
export function environmentName(text: string): string {
  if (!/^[a-z][a-z0-9-]{1,15}$/.test(text)) {
    throw new InvalidArgumentError(
      'Expected 2 to 16 lower-case letters, digits and dashes, like dev, staging or prod.',
    );
  }
  return text;
}
