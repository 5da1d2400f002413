export { type TrustedKey, trustedKey } from '@autowatering/release-format';
export { type BootloaderOptions, type BootReport, boot, type RunningImage } from './bootloader/bootloader.ts';
export { createSecurityCounter } from './bootloader/image-rules.ts';
export { swapUsingMove } from './bootloader/swap-move.ts';
export { decideSwapType } from './bootloader/swap-type.ts';
export { type FlagState, type MagicState, readTrailer, type SwapType, type Trailer } from './bootloader/trailer.ts';
export type { UpgradeMode } from './bootloader/upgrade-mode.ts';
export { UPGRADE_MODES } from './bootloader/upgrade-modes.ts';
export { carryCommand } from './carrying/carry-command.ts';
export {
  type CarrierReport,
  type CommandClient,
  commandClient,
  type LeasedCommand,
} from './carrying/command-client.ts';
export { type ErrandOutcome, runErrand } from './carrying/errand.ts';
export type { ApplicationBehaviour, ApplicationModel } from './device/application.ts';
export type { BootRecord, ResetReason } from './device/boot-log.ts';
export type { DeviceOptions } from './device/device-options.ts';
export { type Requester, RequestQueue } from './device/request-queue.ts';
export { type DeviceState, SimulatedDevice } from './device/simulated-device.ts';
export { FlashArea } from './flash/flash-area.ts';
export { createProductFlash, type FlashMap } from './flash/layout.ts';
export { FlashError, type FlashOperation, NorFlash, PAGE_BYTES } from './flash/nor-flash.ts';
export { PagePool } from './flash/page-pool.ts';
export { PowerCutError, PowerSupply } from './flash/power-supply.ts';
export { FleetDevice, type FleetDeviceOptions, type Visit } from './fleet/fleet-device.ts';
export { type FleetSummary, summarizeFleet } from './fleet/fleet-summary.ts';
export {
  appsWithShipped,
  drawLot,
  FATES,
  type Fate,
  type FleetMix,
  type Lot,
  type PhoneKind,
  SHIPPED_APP_PERCENT,
  USUAL_MIX,
} from './fleet/mix.ts';
export { type DeviceRecord, type FleetRun, runFleet, singleRelease } from './fleet/run-fleet.ts';
export {
  type Confusion,
  confusionOf,
  litresOf,
  type SaidInsight,
  type SaidLitres,
  type SaidRun,
} from './fleet/year/found-faults.ts';
export { drawHousehold, type Household, type HouseholdOptions } from './fleet/year/household.ts';
export { type DeviceYear, type LiveYearOptions, liveYear } from './fleet/year/live-year.ts';
export { joinSummaries, NO_YEARS, summaryOf, type YearSummary } from './fleet/year/year-summary.ts';
export { FIRMWARE_BEHAVIOURS, type FirmwareBehaviour } from './garden/firmware/behaviour.ts';
export { ROMANIA, UTC_ZONE, type ZoneRule } from './garden/firmware/time-zone.ts';
export { Garden, type GardenView } from './garden/garden.ts';
export type { GardenOptions, ScheduleOptions, ZoneOptions } from './garden/garden-options.ts';
export { ATT, AttError } from './garden/gatt/att-error.ts';
export { CHARACTERISTICS, type Characteristic, isCharacteristic, uuidOf } from './garden/gatt/characteristics.ts';
export type { GattClient } from './garden/gatt/gatt-client.ts';
export type { GattPeer } from './garden/gatt/gatt-server.ts';
export { type OpenGatt, openGatt } from './garden/gatt/open-gatt.ts';
export type {
  GardenTruth,
  TrueAlarm,
  TrueDay,
  TrueEnd,
  TrueRun,
  TrueSkip,
} from './garden/world/garden-truth.ts';
export { FAULT_NAMES, type FaultKind, type FaultName, type PlantedFault } from './garden/world/planted-fault.ts';
export { type Air, type DeviceInRange, realAir, virtualAir } from './hub/device-in-range.ts';
export { Hub } from './hub/hub.ts';
export { type CarriedCommand, COMMANDS_STREAM } from './hub/hub-errands.ts';
export { DEVICES_STREAM } from './hub/hub-events.ts';
export {
  fileHubMemory,
  type HubAttempt,
  type HubMemory,
  type HubPeer,
  type HubRecord,
  memoryHubMemory,
} from './hub/hub-memory.ts';
export type { HubOptions, HubState, HubSynced } from './hub/hub-options.ts';
export { hubLabelText, PairingError, parseHubLabel, registerHub } from './hub/hub-pairing.ts';
export type { HubVisit } from './hub/hub-rounds.ts';
export { CHECK_MS, mayLeave, QUIET_MS, retryMs, whenDue } from './hub/hub-rules.ts';
export type { HubVisitOutcome } from './hub/hub-visit.ts';
export {
  BleLink,
  type BleLinkOptions,
  type BleTransport,
  type Central,
  LARGEST_MTU,
  SMALLEST_MTU,
} from './link/ble-link.ts';
export { fragments, PacketReassembler } from './link/packet-reassembler.ts';
export { capacityBytesPerSecond, GOOD_RADIO, type RadioOptions } from './link/radio.ts';
export { crc16, encodeSerial, SerialReader } from './link/serial-framing.ts';
export { type SerialServer, startSerialServer } from './link/serial-server.ts';
export { connectSerial } from './link/serial-transport.ts';
export { LinkLostError, PairingRequiredError, type Transport } from './link/transport.ts';
export { SMP_UDP_PORT, startUdpServer } from './link/udp-server.ts';
export { connectUdp } from './link/udp-transport.ts';
export { type ApiCalls, type CallOptions, createCalls } from './phone/api-calls.ts';
export {
  type BackendClient,
  BackendError,
  backendClient,
  DownloadError,
  type Offer,
  type Report,
} from './phone/backend-client.ts';
export { type DeviceCommands, deviceCommands, type ImageEntry } from './phone/device-commands.ts';
export { UploadError, type UploadOptions, uploadImage } from './phone/image-upload.ts';
export { type VisitOptions, type VisitOutcome, visitDevice } from './phone/owner-visit.ts';
export { PHONE_PROFILES, type PhoneProfile, type PhoneProfileName } from './phone/phone-profile.ts';
export { ReportQueue } from './phone/report-queue.ts';
export { updateByShippedApp } from './phone/shipped-app.ts';
export { readDecision, type SigningKeys, UnsignedAnswerError } from './phone/signed-answer.ts';
export {
  SmpClient,
  type SmpClientOptions,
  SmpError,
  SmpTimeoutError,
  UnreadableAnswerError,
} from './phone/smp-client.ts';
export {
  NotAnImageError,
  type UpdateOptions,
  type UpdateOutcome,
  type UpdatePhase,
  updateDevice,
} from './phone/update-device.ts';
export {
  CBOR_LENGTHS,
  type CborLengths,
  type CborMap,
  type CborValue,
  decodeFields,
  encodeDefinite,
  encodeIndefinite,
} from './smp/cbor.ts';
export { describeSmpError, IMAGE_ERROR } from './smp/errors.ts';
export { decodeSmpHeader, encodePacket, encodeSmpHeader, GROUP, OP, SMP_HEADER_BYTES } from './smp/header.ts';
export type { DeviceIdentity } from './smp/identity-group.ts';
export { confirmRunning, imageGroup } from './smp/image-group.ts';
export { osGroup } from './smp/os-group.ts';
export { type Command, type CommandResult, type SmpGroup, SmpServer } from './smp/server.ts';
export { type GardenAtHand, gardenAtHand } from './sync/garden-at-hand.ts';
export { gardenOverLink } from './sync/garden-over-link.ts';
export type { GardenReach } from './sync/garden-reach.ts';
export {
  EMPTY_SYNC_RECORD,
  GardenSync,
  type GardenSyncOptions,
  memorySyncMemory,
  type SentOutcome,
  type SyncMemory,
  type SyncOutcome,
  type SyncRecord,
} from './sync/garden-sync.ts';
export type { GatheredRead, GatheredReading, GatheredSession, Gathering } from './sync/gathering.ts';
export { RunWatch, type WatchedRun } from './sync/run-watch.ts';
export { FROM_THE_BEGINNING, type SyncCursor } from './sync/sync-cursor.ts';
export { type TelemetryClient, telemetryClient, type Uploaded } from './sync/telemetry-client.ts';
export type { UploadBody } from './sync/upload-bodies.ts';
export { type Random, seededRandom } from './time/random.ts';
export { realTime, type Scheduler, sleep } from './time/scheduler.ts';
export { StuckError, VirtualTime } from './time/virtual-time.ts';
