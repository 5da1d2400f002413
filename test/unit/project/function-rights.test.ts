import { beforeAll, describe, expect, it } from 'vitest';
import { functionRights } from '../../support/function-rights.ts';

let missing: (operation: string, request: object) => string | undefined;
beforeAll(async () => {
  const rights = await functionRights();
  missing = (operation, request) => rights(operation, Buffer.from(JSON.stringify(request)));
});

const users = 'autowatering-users-t1';
const releases = 'autowatering-ota-releases-t1';

describe('the permissions in backend tests', () => {
  it("are the function's own: what template.yaml does not grant is refused", () => {
    expect(missing('GetItem', { TableName: releases })).toBeUndefined();
    expect(missing('DeleteItem', { TableName: users })).toBeUndefined();
    expect(missing('DeleteItem', { TableName: releases })).toBe(`dynamodb:DeleteItem on ${releases}`);
    expect(missing('UpdateItem', { TableName: 'somebody-elses' })).toBe('dynamodb:UpdateItem on somebody-elses');
  });

  it('are checked for each index, and for each part of a batch or transaction', () => {
    const query = (IndexName: string) => missing('Query', { TableName: 'autowatering-provisioning-t1', IndexName });
    expect([query('serial-index'), query('no-index')]).toEqual([undefined, expect.stringContaining('/index/no-index')]);
    expect(missing('BatchGetItem', { RequestItems: { [users]: {}, [releases]: {} } })).toContain(releases);
    const check = (TableName: string) => ({
      TransactItems: [{ Put: { TableName } }, { ConditionCheck: { TableName } }],
    });
    expect(missing('TransactWriteItems', check(users))).toBeUndefined();
    expect(missing('TransactWriteItems', check(releases))).toBe(`dynamodb:ConditionCheckItem on ${releases}`);
  });

  it("are each function's own: the relay reads users only to see that an account is deleted", async () => {
    const relay = await functionRights('Relay');
    const missingOf = (operation: string, TableName: string) =>
      relay(operation, Buffer.from(JSON.stringify({ TableName })));
    expect(missingOf('DeleteItem', 'autowatering-relay-t1')).toBeUndefined();
    expect(missingOf('GetItem', users)).toBeUndefined();
    expect(missingOf('PutItem', users)).toBe(`dynamodb:PutItem on ${users}`);
    expect(missingOf('GetItem', releases)).toBe(`dynamodb:GetItem on ${releases}`);
  });
});
