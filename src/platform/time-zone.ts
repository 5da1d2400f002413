/**
 * The name of a time zone as the IANA database spells it: `europe/bucharest` is `Europe/Bucharest`. Former names, which the
 * runtime knows by another, stay as they are.
 *
 * @param name one that the runtime knows
 */
export function spelledTimeZone(name: string): string {
  const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  return known.toLowerCase() === name.toLowerCase() ? known : name;
}
