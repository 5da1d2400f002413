import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { failedCondition, type TransactItems, transactWrite, wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number } from '../../platform/shapes.ts';
import { createSharedCalls } from '../../platform/shared-calls.ts';
import type { AuditEntry } from '../audit/audit.ts';
import { auditAction } from '../audit/audit-action.ts';
import { type CountChange, type CountedDevice, countChanges, countingActions } from '../overview/fleet-counts.ts';
import { type Device, type HashedCode, LAST_SERIAL_NUMBER } from './device.ts';
import { createSerialNumbers, type TakeNumbers } from './serial-numbers.ts';
import { SCHEMA, toDevice } from './stored-items.ts';

const FIRST_REVISION = 1;
const COUNTER_KEY = { hw_id: '#serial-counter', record: 'counter' } as const;
/** A transaction has room for 100 items: two for each device, and at most two counts of its own. */
const MOST_COMPLETED_AT_ONCE = 24;

interface Completion {
  readonly device: Device;
  readonly station: string;
  readonly toldCode: HashedCode | undefined;
}

/** The factory's part of the fleet's store: serial numbers, new devices and their claim codes. */
export function createNewDevices({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const { provisioning } = config.tables;
  const deviceKey = (hwId: HwId) => ({ hw_id: hwId, record: 'device' });

  const updateCode = async (change: UpdateCommandInput): Promise<boolean> => {
    return wasConditionMet(async () => (await documents()).update(change));
  };

  const takeNumbers: TakeNumbers = async (count) => {
    try {
      const { Attributes: counter } = await (await documents()).update({
        TableName: provisioning,
        Key: COUNTER_KEY,
        UpdateExpression: 'ADD last_number :count SET #schema = :schema',
        ConditionExpression: 'attribute_not_exists(last_number) OR last_number <= :room',
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: { ':count': count, ':room': LAST_SERIAL_NUMBER - count, ':schema': SCHEMA },
        ReturnValues: 'UPDATED_NEW',
      });
      return fields({ last_number: number })(counter).last_number;
    } catch (error) {
      if (failedCondition(error) !== undefined) return undefined;
      throw error;
    }
  };

  const completed = ({ device: { hwId }, toldCode }: Completion): TransactItems[number] => ({
    Update: {
      TableName: provisioning,
      Key: deviceKey(hwId),
      UpdateExpression: `REMOVE uncounted_station${toldCode === undefined ? '' : ', claim_code_untold'}`,
      ConditionExpression: `attribute_exists(uncounted_station)${toldCode === undefined ? '' : ' AND claim_code_hash = :hash'}`,
      ...(toldCode === undefined ? {} : { ExpressionAttributeValues: { ':hash': toldCode.hash } }),
    },
  });

  /** Those who share a transaction are entered together. If one of them can't be, the others try again without it. */
  const completeAll = async (all: readonly Completion[]): Promise<ReadonlySet<Completion>> => {
    // A transaction changes an item once only.
    const turn = [...new Map([...all].reverse().map((one) => [one.device.hwId, one])).values()];
    const [first] = turn;
    if (first === undefined) return new Set();
    const entries = turn.map((one) => ({ ...one, entry: provisionEntry(one) }));
    const outcome = await transactWrite(documents, randomness, [
      ...turn.map(completed),
      ...entries.map(({ device, entry }) =>
        auditAction(provisioning, device.hwId, FIRST_REVISION, entry, device.createdAt),
      ),
      ...countingActions(provisioning, first.device.hwId, entries.flatMap(countsOf)),
    ]);
    const done = new Set(turn);
    if (!outcome.committed) {
      const refused = new Set(turn.filter((_, index) => outcome.reasons[index]?.code === 'ConditionalCheckFailed'));
      if (refused.size === 0) throw new Error('a transaction was refused because of none of its devices');
      return completeAll(all.filter((one) => !refused.has(one)));
    }
    const others = all.filter((one) => !done.has(one));
    return others.length === 0 ? done : new Set([...done, ...(await completeAll(others))]);
  };
  const complete = createSharedCalls<Completion, boolean>(MOST_COMPLETED_AT_ONCE, async (all) => {
    const done = await completeAll(all);
    return all.map((one) => done.has(one));
  });

  return {
    serialNumbers: createSerialNumbers(takeNumbers),

    /**
     * Enters a new device into the counts and the audit, once, before anything else happens to it. Devices completed at
     * the same time share a transaction, because a transaction costs much and theirs would meet at the same counts.
     *
     * @param toldCode the claim code about to be sent to the factory, if any
     * @returns false when that was done already, or the device has another claim code by now
     */
    async complete(device: Device, toldCode: HashedCode | undefined): Promise<boolean> {
      const { uncountedStation: station } = device;
      return station !== null && complete({ device, station, toldCode });
    },

    /**
     * Stores a new device, marked as not counted yet until `complete` removes the mark. Returns the device that is there
     * already, if there is one, and leaves it unchanged.
     *
     * It is a separate write because in a transaction the device and each of its indexes would cost twice as much.
     */
    async putNewDevice(device: Device): Promise<Device | undefined> {
      try {
        await (await documents()).put({
          TableName: provisioning,
          Item: storedDevice(device),
          ConditionExpression: 'attribute_not_exists(hw_id)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return undefined;
      } catch (error) {
        const failed = failedCondition(error);
        if (failed === undefined) throw error;
        return toDevice(failed.item);
      }
    },

    /** Records that this claim code is about to be sent to the factory. False when it has been replaced meanwhile. */
    async markCodeTold(hwId: HwId, code: HashedCode): Promise<boolean> {
      return updateCode({
        TableName: provisioning,
        Key: deviceKey(hwId),
        UpdateExpression: 'REMOVE claim_code_untold',
        ConditionExpression: 'claim_code_hash = :hash',
        ExpressionAttributeValues: { ':hash': code.hash },
      });
    },

    /** Replaces a claim code that was never sent. False when it was sent or replaced meanwhile. */
    async replaceUntoldCode({ hwId, claimCode: old }: Device, code: HashedCode): Promise<boolean> {
      return updateCode({
        TableName: provisioning,
        Key: deviceKey(hwId),
        UpdateExpression:
          code.salt === undefined
            ? 'SET claim_code_hash = :hash REMOVE claim_code_salt'
            : 'SET claim_code_hash = :hash, claim_code_salt = :salt',
        ConditionExpression:
          'claim_code_hash = :old AND attribute_exists(claim_code_untold) AND attribute_not_exists(owner_uid)',
        ExpressionAttributeValues: {
          ':hash': code.hash,
          ':old': old?.hash ?? '',
          ...(code.salt === undefined ? {} : { ':salt': code.salt }),
        },
      });
    },
  };
}

/** A device as the fleet's counts see it. */
export function countedAs({ board, firmware }: Device): CountedDevice {
  return { board, firmware: firmware?.version };
}

function provisionEntry({ device: { serial, status }, station }: Completion): AuditEntry {
  return {
    action: 'provision',
    actor: { kind: 'factory', station },
    reason: undefined,
    before: null,
    after: { state: status, owner: null },
    facts: { serial },
  };
}

function countsOf({ device, entry }: { readonly device: Device; readonly entry: AuditEntry }): readonly CountChange[] {
  return countChanges(countedAs(device), entry, device.createdAt.slice(0, 10), undefined);
}

function storedDevice(device: Device) {
  return {
    hw_id: device.hwId,
    record: 'device',
    serial: device.serial,
    serial_seq: device.serialNumber,
    status: device.status,
    fleet_status: device.status,
    created_at: device.createdAt,
    updated_at: device.updatedAt,
    claim_code_salt: device.claimCode?.salt,
    claim_code_hash: device.claimCode?.hash,
    claim_code_untold: device.isCodeUntold || undefined,
    uncounted_station: device.uncountedStation ?? undefined,
    metadata: device.metadata,
    public_key: device.publicKey ?? undefined,
    board: device.board,
    batch: device.batch ?? undefined,
    firmware_version: device.firmware?.version,
    firmware_seen_at: device.firmware?.seenAt,
    revision: device.revision,
    schema: SCHEMA,
  };
}
