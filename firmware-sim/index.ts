export { trustedKey } from '../release-format/verify-image.ts';
export { type DeviceOptions, SimulatedDevice } from './device/simulated-device.ts';
export { BleLink } from './link/ble-link.ts';
export { LinkLostError, type Transport } from './link/transport.ts';
export { SMP_UDP_PORT, startUdpServer } from './link/udp-server.ts';
export { connectUdp } from './link/udp-transport.ts';
export { deviceCommands, type ImageEntry } from './phone/device-commands.ts';
export { SmpClient, SmpError, SmpTimeoutError } from './phone/smp-client.ts';
export { type UpdateOutcome, type UpdatePhase, updateDevice } from './phone/update-device.ts';
