export type Variables = Readonly<Record<string, string | undefined>>;

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A check for a value, and its wording for the error. */
interface Form {
  readonly test: (text: string) => boolean;
  readonly text: string;
}

/**
 * Reads environment variables and collects every fault. Empty variables count as absent, because CloudFormation can't
 * omit a variable.
 *
 * Doesn't use the routes' schema library: every container reads its configuration first, and many never load a schema
 * (ADR 86).
 */
export interface EnvironmentReader {
  /** `NAME: what is wrong`, in reading order. */
  readonly faults: readonly string[];
  required(name: string, form?: Form): string;
  optional(name: string, form?: Form): string | undefined;
  /** A comma-separated list; spaces around entries are removed. */
  list(
    name: string,
    form?: { readonly test: (entries: readonly string[]) => boolean; readonly text: string },
  ): readonly string[];
  /** A whole number. */
  number(name: string, bounds: Bounds, standard: number): number;
  optionalNumber(name: string, bounds: Bounds): number | undefined;
  choice<const T extends string>(name: string, choices: readonly T[], standard: NoInfer<T>): T;
  flag(name: string, standard: boolean): boolean;
  /** Adds a fault, e.g. one that concerns several variables. */
  fault(name: string, text: string): void;
}

export function readEnvironment(variables: Variables): EnvironmentReader {
  const faults: string[] = [];
  const fault = (name: string, text: string): void => {
    faults.push(`${name}: ${text}`);
  };
  const given = (name: string): string | undefined => variables[name] || undefined;
  const optional = (name: string, form?: Form): string | undefined => {
    const value = given(name);
    if (value !== undefined && form !== undefined && !form.test(value)) fault(name, `must be ${form.text}`);
    return value;
  };
  const optionalNumber = (name: string, { min, max }: Bounds): number | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    fault(name, `must be a whole number from ${min} to ${max}`);
    return undefined;
  };
  const choice = <const T extends string>(name: string, choices: readonly T[], standard: NoInfer<T>): T => {
    const value = given(name);
    if (value === undefined) return standard;
    const chosen = choices.find((one) => one === value);
    if (chosen === undefined) fault(name, `must be one of ${choices.join(', ')}`);
    return chosen ?? standard;
  };
  return {
    faults,
    fault,
    optional,
    required(name, form) {
      const value = optional(name, form);
      if (value === undefined) fault(name, 'is missing');
      return value ?? '';
    },
    list(name, form) {
      const entries = (given(name) ?? '')
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
      if (form !== undefined && !form.test(entries)) fault(name, `must be ${form.text}`);
      return entries;
    },
    number: (name, bounds, standard) => optionalNumber(name, bounds) ?? standard,
    optionalNumber,
    choice,
    flag: (name, standard) => choice(name, ['true', 'false'], standard ? 'true' : 'false') === 'true',
  };
}

/** Returns a form that tests values against a pattern. */
export function matching(pattern: RegExp, text: string): Form {
  return { test: (value) => pattern.test(value), text };
}

/** An http(s) address. */
export const WEB_ADDRESS: Form = {
  test: (value) => /^https?:/.test(value) && URL.canParse(value),
  text: 'an address like https://example.com',
};

/** A ws(s) address. */
export const WEB_SOCKET_ADDRESS: Form = {
  test: (value) => /^wss?:/.test(value) && URL.canParse(value),
  text: 'an address like wss://example.com/live',
};
