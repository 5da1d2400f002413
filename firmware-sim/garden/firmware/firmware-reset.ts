import type { Firmware } from './firmware.ts';
import { RESET } from './reset-control.ts';
import { factorySettings, newChannel, noSchedule, type Settings } from './settings.ts';

/** Carries out a reset of `de21`. A global lock stays, whatever is reset (device sheet, §2.7). */
export function resetFirmware(firmware: Firmware, type: number, channel: number): void {
  const { settings, history, rain, environment, schedules, waterer } = firmware;
  const channels = settings.channels.map((_, index) => index);
  const isFactory = type === RESET.factory;
  if (type === RESET.channel) resetChannel(settings, channel);
  if (type === RESET.schedule) resetSchedule(settings, channel);
  if (type === RESET.channels || isFactory) for (const each of channels) resetChannel(settings, each);
  if (type === RESET.schedules) for (const each of channels) resetSchedule(settings, each);
  if (type === RESET.system || isFactory) resetSystem(settings);
  if (isFactory) settings.opaque.clear();
  if (type === RESET.history || isFactory) {
    history.erase();
    rain.hourly.clear();
    rain.daily.clear();
    environment.erase();
  }
  schedules.changed();
  waterer.locks.show();
}

/** With its lock and what was learned of its flow. */
function resetChannel({ channels }: Settings, channel: number): void {
  const known = channels[channel];
  if (known !== undefined) Object.assign(known, newChannel(channel, known.profile));
}

function resetSchedule({ channels }: Settings, channel: number): void {
  const known = channels[channel];
  if (known !== undefined) known.schedule = noSchedule(channel);
}

function resetSystem(settings: Settings): void {
  const { rain, pulsesPerLitre, powerMode } = factorySettings(0, settings.hasMaster, []);
  Object.assign(settings, { rain, pulsesPerLitre, powerMode });
}
