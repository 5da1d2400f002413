import { parseDeviceKey } from '@autowatering/device-proof';
import * as z from 'zod';
import { storableMap } from '../../http/body/storable-json.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { isoDateTime, textLine } from '../../http/fields.ts';
import type { Services } from '../../platform/services.ts';
import { type Device, fleetStateOf, isSerialSpaceLow, thingName } from '../device/device.ts';
import type { FactoryStep } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';
import { DeviceStatusField, FleetStateField, HwIdField, MetadataValue } from '../fields.ts';
import { createCodeHashes } from '../ownership/code-hashes.ts';
import { type FactoryStepOutcome, takeFactoryStep } from './factory-step.ts';
import { provisionDevice } from './provision.ts';

const MOST_METADATA = 20;
const LONGEST_REASON = 200;

const Metadata = storableMap({ mostEntries: MOST_METADATA, longestText: 256 });

const PublicKey = z
  .string()
  .max(512)
  .refine((text) => parseDeviceKey(text) !== undefined, 'an Ed25519 or P-256 public key, in base64 or as PEM');

/** What the factory can read about a device. */
const ProvisionedDevice = z.object({
  ok: z.literal(true),
  created: z.boolean(),
  hw_id: z.string(),
  serial: z.string(),
  serial_seq: z.number(),
  thing_name: z.string(),
  status: DeviceStatusField,
  metadata: z.record(z.string(), MetadataValue),
  created_at: isoDateTime,
  updated_at: isoDateTime,
  claimed_by_uid: z.string().nullable(),
  claimed_at: isoDateTime.nullable(),
  claim_code: z.string().optional(),
});

const StepBody = z.strictObject({ hw_id: HwIdField, reason: textLine(LONGEST_REASON).optional() });

const STEP_REFUSALS: { readonly [O in Exclude<FactoryStepOutcome['outcome'], 'done'>]: string } = {
  device_not_found: 'There is no device with this hardware id.',
  already_active: 'This device is active already.',
  already_revoked: 'This device is revoked already.',
  not_active: 'Only an active device can be revoked.',
  not_factory_only: 'Only a device that has not left the factory can be activated; a revoked one is reactivated.',
  not_revoked: 'Only a revoked device can be reactivated; one that has not left the factory is activated.',
};

/** What a factory station does with a device. */
export function factoryRoutes(services: Services, store: FleetStore): readonly Route[] {
  const codes = createCodeHashes(services);
  const provision = defineRoute({
    method: 'POST',
    path: '/provision',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Provisions a device',
    description:
      '201 for a new device, with its `claim_code` for the label, shown only once; 200 for a known one, which stays ' +
      'unchanged. The same hardware always gets the same serial, and no serial is used twice.',
    body: z.strictObject({
      hw_id: HwIdField,
      status: z.enum(['factory_only', 'active']).default('active'),
      metadata: Metadata.default({}),
      public_key: PublicKey.optional(),
    }),
    responses: { 200: ProvisionedDevice, 201: ProvisionedDevice },
    errors: ['serial_space_exhausted'],
  }).handledBy(async ({ body, caller: { station } }, { now }) => {
    const { hw_id: hwId, status, metadata, public_key: publicKey = null } = body;
    const result = await provisionDevice(
      store,
      { ...services, codes },
      { hwId, status, metadata, publicKey, station },
      now,
    );
    switch (result.outcome) {
      case 'serials_exhausted':
        throw new ApiError('serial_space_exhausted', 'All 999,999 six-digit serial numbers are used up.');
      case 'known':
        services.metrics.count('DeviceProvisioned', { outcome: 'known' });
        return { status: 200, body: provisioned(result.device, false) };
      case 'created':
        services.metrics.count('DeviceProvisioned', { outcome: 'created' });
        if (isSerialSpaceLow(result.device.serial)) services.metrics.count('SerialSpaceLow');
        return { status: 201, body: { ...provisioned(result.device, true), claim_code: result.claimCode } };
    }
  });

  const step = async (name: FactoryStep, body: z.output<typeof StepBody>, station: string, now: number) => {
    const { hw_id: hwId, reason } = body;
    const result = await takeFactoryStep(store, { hwId, step: name, actor: { kind: 'factory', station }, reason }, now);
    services.metrics.count('DeviceFactoryStep', { step: name, outcome: result.outcome });
    if (result.outcome !== 'done') throw new ApiError(result.outcome, STEP_REFUSALS[result.outcome]);
    return { hwId, before: fleetStateOf(result.device) };
  };
  const stepped = { ok: z.literal(true), hw_id: z.string(), previous_state: FleetStateField };

  const activate = defineRoute({
    method: 'POST',
    path: '/activateDevice',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Activates a device for sale',
    description: 'From `factory_only` to `active`: it can be claimed from now on.',
    body: StepBody,
    responses: { 200: z.object({ ...stepped, activated: z.literal(true) }) },
    errors: ['device_not_found', 'already_active', 'not_factory_only'],
  }).handledBy(async ({ body, caller }, { now }) => {
    const { hwId, before } = await step('activate', body, caller.station, now);
    return { status: 200, body: { ok: true, activated: true, hw_id: hwId, previous_state: before } };
  });

  const revoke = defineRoute({
    method: 'POST',
    path: '/revokeDevice',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Revokes a device',
    description: 'Takes it out of service. Its owner, if any, is released but stays in the audit.',
    body: StepBody,
    responses: { 200: z.object({ ...stepped, revoked: z.literal(true) }) },
    errors: ['device_not_found', 'already_revoked'],
  }).handledBy(async ({ body, caller }, { now }) => {
    const { hwId, before } = await step('revoke', body, caller.station, now);
    return { status: 200, body: { ok: true, revoked: true, hw_id: hwId, previous_state: before } };
  });

  const reactivate = defineRoute({
    method: 'POST',
    path: '/reactivateDevice',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Reactivates a revoked device',
    description: 'It becomes `active` without an owner and can be claimed again.',
    body: StepBody,
    responses: { 200: z.object({ ...stepped, reactivated: z.literal(true) }) },
    errors: ['device_not_found', 'already_active', 'not_revoked'],
  }).handledBy(async ({ body, caller }, { now }) => {
    const { hwId, before } = await step('reactivate', body, caller.station, now);
    return { status: 200, body: { ok: true, reactivated: true, hw_id: hwId, previous_state: before } };
  });

  return [provision, activate, revoke, reactivate];
}

function provisioned(device: Device, created: boolean): z.input<typeof ProvisionedDevice> {
  return {
    ok: true,
    created,
    hw_id: device.hwId,
    serial: device.serial,
    serial_seq: device.serialNumber,
    thing_name: thingName(device.serial),
    status: device.status,
    metadata: { ...device.metadata },
    created_at: device.createdAt,
    updated_at: device.updatedAt,
    claimed_by_uid: device.owner?.uid ?? null,
    claimed_at: device.owner?.claimedAt ?? null,
  };
}
