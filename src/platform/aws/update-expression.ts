/** An update's changes by attribute; undefined values in `set` are left out. */
export interface ItemChange {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  readonly add?: Readonly<Record<string, number>>;
}

/**
 * Returns the parts of an UpdateItem. Attributes are written `#name` and values `:name`, so that DynamoDB's reserved
 * words are no problem; a condition in the same call uses the same spelling.
 */
export function updateExpression({ set = {}, remove = [], add = {} }: ItemChange) {
  const assigned = Object.entries(set).filter(([, value]) => value !== undefined);
  const added = Object.entries(add);
  const clauses = [
    clause(
      'SET',
      assigned.map(([name]) => `#${name} = :${name}`),
    ),
    clause(
      'REMOVE',
      remove.map((name) => `#${name}`),
    ),
    clause(
      'ADD',
      added.map(([name]) => `#${name} :${name}`),
    ),
  ];
  const names = [...assigned.map(([name]) => name), ...remove, ...added.map(([name]) => name)];
  return {
    UpdateExpression: clauses.filter((text) => text !== '').join(' '),
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries([...assigned, ...added].map(([name, value]) => [`:${name}`, value])),
  };
}

function clause(verb: string, parts: readonly string[]): string {
  return parts.length === 0 ? '' : `${verb} ${parts.join(', ')}`;
}
