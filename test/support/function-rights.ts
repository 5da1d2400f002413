import { once } from '../../src/platform/once.ts';
import { type FunctionName, grantedRights } from '../../tools/build/template/granted-rights.ts';
import { readTemplate } from '../../tools/build/template/template.ts';

type Json = Readonly<Record<string, unknown>>;

/** The permissions an operation needs in IAM: each action with its table or index. */
interface Need {
  readonly action: string;
  readonly table: string;
  readonly index?: string;
}

const TRANSACT_ACTIONS = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/** The first permission that a call needs and the caller does not have. */
export type MissingRight = (operation: string, body: Buffer) => string | undefined;

/** For operators, whose tools read and write everything. */
export const everyRight: MissingRight = () => undefined;

const template = once(readTemplate);

/**
 * Checks DynamoDB calls against a function's permissions in template.yaml.
 * Scans come from the tests: the functions' code must never scan.
 */
export async function functionRights(name: FunctionName = 'Backend'): Promise<MissingRight> {
  const { Resources: resources } = await template();
  const grants = grantedRights(await template(), name) ?? [];
  /** Tables by the part of their name that says what they hold. */
  const logicalIds = new Map(
    Object.entries(resources).flatMap(([id, { Type: type, Properties: properties }]) => {
      const name = /autowatering-([a-z-]+)-\$/.exec(JSON.stringify(properties['TableName']) ?? '')?.[1];
      return type === 'AWS::DynamoDB::Table' && name !== undefined ? [[name, id] as const] : [];
    }),
  );
  const resourceOf = ({ table, index }: Need): string => {
    const name = /^autowatering-([a-z-]+)-[^-]+$/.exec(table)?.[1] ?? '';
    const id = logicalIds.get(name) ?? table;
    return JSON.stringify(
      index === undefined ? { '!GetAtt': `${id}.Arn` } : { '!Sub': `\${${id}.Arn}/index/${index}` },
    );
  };
  return (operation, body) => {
    if (operation === 'Scan') return undefined;
    const missing = needsOf(operation, JSON.parse(body.toString('utf8'))).find(
      (need) =>
        !grants.some(
          ({ actions, resources }) =>
            actions.includes(`dynamodb:${need.action}`) && resources.includes(resourceOf(need)),
        ),
    );
    return missing && `dynamodb:${missing.action} on ${missing.table}${missing.index ? `/index/${missing.index}` : ''}`;
  };
}

function needsOf(operation: string, request: Json): readonly Need[] {
  if (operation.startsWith('Batch')) {
    return Object.keys(asJson(request['RequestItems'])).map((table) => ({ action: operation, table }));
  }
  if (operation.startsWith('Transact')) {
    return Object.values(asJson(request['TransactItems'])).flatMap((item) =>
      Object.entries(asJson(item)).map(([kind, action]) => ({
        action: Object.entries(TRANSACT_ACTIONS).find(([name]) => name === kind)?.[1] ?? 'GetItem',
        table: String(asJson(action)['TableName']),
      })),
    );
  }
  const index = request['IndexName'];
  return [{ action: operation, table: String(request['TableName']), ...(typeof index === 'string' && { index }) }];
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
