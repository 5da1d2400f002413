import * as z from 'zod';
import { createAllow } from '../../http/checks/rate-limit.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import type { Services } from '../../platform/services.ts';
import { thingName } from '../device/device.ts';
import { notUnderstood } from '../device/device-version.ts';
import type { FleetStore } from '../device/store.ts';
import type { OwnedDevice } from '../device/stored-items.ts';
import { DeviceVersionField, HwIdField, SerialField } from '../fields.ts';
import { recordFirmware } from './firmware-seen.ts';
import { reconcile, type SeenDevice } from './reconcile.ts';

const MOST_DEVICES = 50;
const PAGE = 100;
/** Other people's devices that one person may ask about: a garden full of them many times over, but no search. */
const FOREIGN_DEVICES = { requests: 600, windowSeconds: 600 } as const;
/** The most entries of an owner's list to check for devices that were not seen. */
const MOST_OWNED = 500;

const Seen = z
  .strictObject({
    serial: SerialField.optional(),
    hw_id: HwIdField.optional(),
    firmware_version: DeviceVersionField.optional(),
  })
  .refine(({ serial, hw_id: hwId }) => serial !== undefined || hwId !== undefined, 'a serial or a hw_id');

const Action = z.enum(['none', 'claim', 'ask_owner', 'check_label', 'contact_support', 'come_closer']);

/** What the devices around a phone mean to its user. */
export function reconcileRoutes(services: Services, store: FleetStore): readonly Route[] {
  const allow = createAllow(services);

  const reconcileDevices = defineRoute({
    method: 'POST',
    path: '/reconcileDevices',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'fleet',
    summary: 'Compares the devices a phone sees with those the cloud knows',
    description:
      'One answer per device seen, in the same order, and the owned devices that were not seen. Send the `hw_id`: a ' +
      "`serial` alone only finds the user's own devices. See `docs/device-reconciliation.md` for the rules. Changes " +
      "only the recorded firmware of the user's own devices. A `firmware_version` that can’t be understood is not " +
      'recorded, and listed in `not_understood`.',
    rateLimit: { requests: 60, windowSeconds: 600, andPerAddress: 240 },
    body: z.strictObject({ devices: z.array(Seen).max(MOST_DEVICES) }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        count: z.number(),
        devices: z.array(
          z.object({
            serial: z.string().optional(),
            hw_id: z.string().optional(),
            thing_name: z.string().optional(),
            status: z.enum(['owned', 'claimable', 'claimed_by_other', 'unknown_serial', 'revoked', 'factory_only']),
            suggested_action: Action,
            not_understood: z.array(z.enum(['firmware_version'])).optional(),
          }),
        ),
        not_seen: z.array(
          z.object({ serial: z.string(), hw_id: z.string(), thing_name: z.string(), suggested_action: Action }),
        ),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller, body }, { now }) => {
    const seen = body.devices.map(({ serial, hw_id: hwId }): SeenDevice => ({ serial, hwId }));
    const [known, owned] = await Promise.all([store.findAll(seen), everythingOwned(store, caller.uid)]);
    const foreign = known.filter((device) => device?.owner?.uid !== caller.uid).length;
    if (foreign > 0) await allow('devices of others', FOREIGN_DEVICES, `user:${caller.uid}`, foreign);
    const devices = seen.map((one, index) => {
      const device = known[index];
      const { status, suggestedAction } = reconcile(one, device, caller.uid);
      // For other people's devices the caller gets back only what they sent.
      const isTheirs = status === 'owned' && device !== undefined;
      return {
        ...(isTheirs ? { serial: device.serial } : one.serial === undefined ? {} : { serial: one.serial }),
        ...(isTheirs ? { hw_id: device.hwId } : one.hwId === undefined ? {} : { hw_id: one.hwId }),
        ...(isTheirs ? { thing_name: thingName(device.serial) } : {}),
        status,
        suggested_action: suggestedAction,
        ...notUnderstood({ firmware_version: body.devices[index]?.firmware_version }),
      };
    });
    await Promise.all(
      known.map(async (device, at) => {
        const version = body.devices[at]?.firmware_version?.version;
        if (device?.owner?.uid !== caller.uid || version === undefined) return;
        await recordFirmware(store, device, version, { kind: 'user', uid: caller.uid }, now);
      }),
    );
    const found = new Set(known.map((device) => device?.hwId));
    const notSeen = owned
      .filter(({ hwId }) => !found.has(hwId))
      .map(({ serial, hwId, thingName: name }) => ({
        serial,
        hw_id: hwId,
        thing_name: name,
        suggested_action: 'come_closer' as const,
      }));
    return { status: 200, body: { ok: true, count: devices.length, devices, not_seen: notSeen } };
  });

  return [reconcileDevices];
}

async function everythingOwned(
  store: FleetStore,
  uid: Parameters<FleetStore['listOwned']>[0],
): Promise<readonly OwnedDevice[]> {
  const owned: OwnedDevice[] = [];
  let after: string | undefined;
  do {
    const page = await store.listOwned(uid, PAGE, after);
    owned.push(...page.devices);
    after = page.next;
  } while (after !== undefined && owned.length < MOST_OWNED);
  return owned;
}
