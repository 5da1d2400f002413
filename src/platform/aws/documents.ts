import type {
  BatchGetCommandInput,
  DeleteCommandInput,
  GetCommandInput,
  PutCommandInput,
  QueryCommandInput,
  TransactWriteCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { Randomness } from '../ids.ts';
import { fromAttributes, type Item, toAttributes } from './attribute-values.ts';
import type { JsonService } from './json/json-service.ts';

export interface CallOptions {
  readonly abortSignal?: AbortSignal;
}

export interface ItemPage {
  readonly Items: Item[];
  readonly Count: number;
  /** Where the next page starts; undefined on the last one. */
  readonly LastEvaluatedKey?: Item | undefined;
}

export interface BatchGetAnswer {
  readonly Responses: Readonly<Record<string, Item[]>>;
  /** What DynamoDB did not get to: the caller asks again. */
  readonly UnprocessedKeys: Readonly<Record<string, { readonly Keys: Item[] }>>;
}

/** The part of the AWS SDK's `DynamoDBDocument` that the backend uses, with the same inputs and answers. */
export interface DocumentClient {
  get(input: GetCommandInput, options?: CallOptions): Promise<{ readonly Item?: Item | undefined }>;
  put(input: PutCommandInput, options?: CallOptions): Promise<{ readonly Attributes?: Item | undefined }>;
  update(input: UpdateCommandInput, options?: CallOptions): Promise<{ readonly Attributes?: Item | undefined }>;
  delete(input: DeleteCommandInput, options?: CallOptions): Promise<{ readonly Attributes?: Item | undefined }>;
  query(input: QueryCommandInput, options?: CallOptions): Promise<ItemPage>;
  batchGet(input: BatchGetCommandInput, options?: CallOptions): Promise<BatchGetAnswer>;
  transactWrite(input: TransactWriteCommandInput, options?: CallOptions): Promise<object>;
}

/** Translates between items and DynamoDB's notation, around a service that speaks JSON. */
export function createDocumentClient(
  { call }: Pick<JsonService, 'call'>,
  randomness: Pick<Randomness, 'id'>,
): DocumentClient {
  const changed = async (operation: string, input: object, { abortSignal }: CallOptions = {}) => {
    const { Attributes: attributes } = await call(operation, input, abortSignal);
    return attributes === undefined ? {} : { Attributes: fromAttributes(attributes) };
  };

  return {
    async get(input, { abortSignal } = {}) {
      const { Item: item } = await call('GetItem', { ...input, Key: toAttributes(input.Key) }, abortSignal);
      return item === undefined ? {} : { Item: fromAttributes(item) };
    },
    put: async (input, options) => changed('PutItem', withAttributes(input), options),
    update: async (input, options) => changed('UpdateItem', withAttributes(input), options),
    delete: async (input, options) => changed('DeleteItem', withAttributes(input), options),
    async query(input, { abortSignal } = {}) {
      const {
        Items: items,
        Count: count,
        LastEvaluatedKey: last,
      } = await call(
        'Query',
        { ...withAttributes(input), ExclusiveStartKey: toAttributes(input.ExclusiveStartKey) },
        abortSignal,
      );
      return {
        Items: itemsIn(items),
        Count: Number(count),
        ...(last === undefined ? {} : { LastEvaluatedKey: fromAttributes(last) }),
      };
    },
    async batchGet({ RequestItems: wanted = {}, ...input }, { abortSignal } = {}) {
      const RequestItems = mapped(wanted, (asked) => ({ ...asked, Keys: asked.Keys?.map(toAttributes) }));
      const { Responses: found, UnprocessedKeys: left } = await call(
        'BatchGetItem',
        { ...input, RequestItems },
        abortSignal,
      );
      return {
        Responses: mapped(fieldsOf(found), itemsIn),
        UnprocessedKeys: mapped(fieldsOf(left), (rest) => ({
          ...fieldsOf(rest),
          Keys: itemsIn(fieldsOf(rest)['Keys']),
        })),
      };
    },
    async transactWrite(input, { abortSignal } = {}) {
      const items = input.TransactItems?.map(({ ConditionCheck, Put, Delete, Update }) => ({
        ConditionCheck: withAttributes(ConditionCheck),
        Put: withAttributes(Put),
        Delete: withAttributes(Delete),
        Update: withAttributes(Update),
      }));
      // Makes another attempt the same transaction, if the first one's answer was lost.
      const token = input.ClientRequestToken ?? randomness.id();
      return call('TransactWriteItems', { ...input, TransactItems: items, ClientRequestToken: token }, abortSignal);
    },
  };
}

interface Notated {
  readonly Key?: Item | undefined;
  readonly Item?: Item | undefined;
  readonly ExpressionAttributeValues?: Item | undefined;
}

/** Undefined members are left out of the JSON. */
function withAttributes<Input extends Notated | undefined>(input: Input) {
  return (
    input && {
      ...input,
      Key: toAttributes(input.Key),
      Item: toAttributes(input.Item),
      ExpressionAttributeValues: toAttributes(input.ExpressionAttributeValues),
    }
  );
}

function itemsIn(list: unknown): Item[] {
  return Array.isArray(list) ? list.flatMap((one: unknown) => fromAttributes(one) ?? []) : [];
}

function mapped<Value, Mapped>(
  fields: Readonly<Record<string, Value>>,
  map: (value: Value) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value)]));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
