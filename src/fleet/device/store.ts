import { type AliveCheck, type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { isoTime } from '../../platform/clock.ts';
import { type HwId, isHwId, type Serial, type Uid } from '../../platform/ids.ts';
import { createWhileOvertaken } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { auditAction } from '../audit/audit-action.ts';
import { createAuditTrail } from '../audit/audit-trail.ts';
import { countChanges, countingActions } from '../overview/fleet-counts.ts';
import { createOwnerLists } from '../ownership/owner-lists.ts';
import type { Device } from './device.ts';
import type { Personal, Transition } from './lifecycle.ts';
import { countedAs, createNewDevices } from './new-devices.ts';
import { personOf } from './person.ts';
import { FORMER_PREFIX, fromChanges, OWNED_PREFIX, personKey, SCHEMA, toDevice } from './stored-items.ts';

export type TransitionWrite =
  | { readonly written: true }
  | { readonly written: false; readonly account: 'deleted' }
  /** Another change came first: the device as it is now. */
  | { readonly written: false; readonly account: 'alive'; readonly device: Device | undefined };

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Every DynamoDB access of the fleet domain: `provisioning`, and the owners' lists in `users`. */
export function createFleetStore(services: Needed) {
  const { config, documents, randomness } = services;
  const { provisioning, users } = config.tables;
  const deviceKey = (hwId: HwId | '#nobody') => ({ hw_id: hwId, record: 'device' });
  const formerKey = (uid: Uid, serial: Serial) => ({ uid, record: `${FORMER_PREFIX}${serial}` });
  const ownedKey = (uid: Uid, serial: Serial) => ({ uid, record: `${OWNED_PREFIX}${serial}` });

  const gained = (device: Device, uid: Uid, personal: Personal, time: string): TransactItems => [
    {
      Put: {
        TableName: users,
        Item: {
          ...ownedKey(uid, device.serial),
          serial: device.serial,
          hw_id: device.hwId,
          status: 'active',
          claimed_at: time,
          ...personal,
          schema: SCHEMA,
        },
      },
    },
    // Maps the pseudonym to the user while the account exists, and lists the devices whose audits mention it.
    { Put: { TableName: users, Item: { ...personKey(personOf(uid), device.hwId), user: uid, schema: SCHEMA } } },
  ];

  const updateDevice = ({ device, to, changes = {} }: Transition, time: string): TransactItems[number] => {
    const changesHands = (device.owner?.uid ?? null) !== to.owner;
    // An offer to the next owner is void once the device has another owner.
    const other = fromChanges(changesHands ? { ...changes, transfer: null } : changes);
    const change = updateExpression({
      set: {
        status: to.status,
        // A claim leaves the index alone: moving a device within it costs as much as the device's own write.
        fleet_status: to.status,
        updated_at: time,
        revision: device.revision + 1,
        ...(to.owner === null || !changesHands ? {} : { owner_uid: to.owner, claimed_at: time }),
        ...other.set,
      },
      remove: [
        ...(to.owner === null ? ['owner_uid', 'claimed_at'] : changesHands ? ['claim_code_untold'] : []),
        ...other.remove,
      ],
    });
    return {
      Update: {
        TableName: provisioning,
        Key: deviceKey(device.hwId),
        UpdateExpression: change.UpdateExpression,
        ConditionExpression: '#revision = :read_revision',
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ':read_revision': device.revision },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    };
  };

  const readDevice = async (
    hwId: HwId | '#nobody',
    { mayBeStale = false }: { readonly mayBeStale?: boolean } = {},
  ): Promise<Device | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName: provisioning,
      Key: deviceKey(hwId),
      ConsistentRead: !mayBeStale,
    });
    return item === undefined ? undefined : toDevice(item);
  };

  /** The device with that serial; the index may lag slightly behind the factory, never behind a sale. */
  const findBySerial = async (serial: Serial, how?: { readonly mayBeStale: boolean }): Promise<Device | undefined> => {
    const { Items: items } = await (await documents()).query({
      TableName: provisioning,
      IndexName: 'serial-index',
      KeyConditionExpression: 'serial = :serial',
      ExpressionAttributeValues: { ':serial': serial },
      Limit: 1,
    });
    const found: unknown = items[0]?.['hw_id'];
    // Ownership is never decided on an index, so the device itself is read. An unknown serial costs a read too, so that
    // timing reveals nothing.
    return readDevice(typeof found === 'string' && isHwId(found) ? found : '#nobody', how);
  };

  const newDevices = createNewDevices(services);

  return {
    /** Retries a step from fresh reads while other changes get in between. */
    whileOvertaken: createWhileOvertaken(randomness),
    ...createAuditTrail(services),
    ...createOwnerLists(services),
    ...newDevices,

    /** @param mayBeStale may miss a device stored a moment ago, at half the read cost */
    readDevice,

    findBySerial,

    /** For a step's transaction: keeps the name and settings of a device that is being revoked. */
    keepFormer: (uid: Uid, device: Device, { name, settings }: Personal, now: number): TransactItems => [
      {
        Put: {
          TableName: users,
          Item: {
            ...formerKey(uid, device.serial),
            serial: device.serial,
            hw_id: device.hwId,
            revoked_at: isoTime(now),
            name,
            settings,
            schema: SCHEMA,
          },
        },
      },
    ],

    /** For a step's transaction: forgets what was kept for a former owner. */
    dropFormer: (uid: Uid, serial: Serial): TransactItems => [
      { Delete: { TableName: users, Key: formerKey(uid, serial) } },
    ],

    /** For a step's transaction: records an event of another device, whose state and owner stay the same. */
    besides: (step: Transition, now: number): TransactItems => [
      updateDevice(step, isoTime(now)),
      auditAction(provisioning, step.device.hwId, step.device.revision + 1, step.entry, isoTime(now)),
    ],

    /** The devices in the order requested, by hardware id where known, else by serial. */
    async findAll(
      wanted: readonly { readonly serial: Serial | undefined; readonly hwId: HwId | undefined }[],
    ): Promise<readonly (Device | undefined)[]> {
      return Promise.all(
        wanted.map(async ({ serial, hwId }) => {
          if (hwId !== undefined) return readDevice(hwId);
          return serial === undefined ? undefined : findBySerial(serial);
        }),
      );
    },

    /**
     * Takes a step in a device's life, with its audit entry, the counts and both owners' lists: all or nothing.
     *
     * @param aliveCheck for a step that sets an owner: fails while their account is being deleted
     * @param more what else belongs to the step, in the same transaction
     */
    async commit(
      step: Transition,
      aliveCheck: AliveCheck | undefined,
      now: number,
      more: TransactItems = [],
    ): Promise<TransitionWrite> {
      const { device, to, entry, personal = {} } = step;
      // Provisioning was interrupted: the counts must be right before this step changes them.
      if (device.uncountedStation !== null) await newDevices.complete(device, undefined);
      const time = isoTime(now);
      const [from, next] = [device.owner?.uid ?? null, to.owner];
      const changesHands = from !== next;
      const actions: TransactItems = [
        updateDevice(step, time),
        ...(next === null || aliveCheck === undefined ? [] : [aliveCheck(next)]),
        auditAction(provisioning, device.hwId, device.revision + 1, entry, time),
        ...countingActions(
          provisioning,
          device.hwId,
          countChanges(countedAs(device), entry, time.slice(0, 10), step.changes?.firmware?.version),
        ),
        ...(from === null || !changesHands
          ? []
          : [{ Delete: { TableName: users, Key: ownedKey(from, device.serial) } }]),
        ...(next === null || !changesHands ? [] : gained(device, next, personal, time)),
        ...more,
      ];
      const outcome = await transactWrite(documents, randomness, actions);
      if (outcome.committed) return { written: true };
      const [onDevice, onAccount] = outcome.reasons;
      if (next !== null && onAccount?.code === 'ConditionalCheckFailed') return { written: false, account: 'deleted' };
      const current = onDevice?.item === undefined ? undefined : toDevice(onDevice.item);
      return { written: false, account: 'alive', device: current };
    },
  };
}

export type FleetStore = ReturnType<typeof createFleetStore>;
