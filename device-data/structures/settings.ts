import { f32, raw, structure, u8, u16, u32 } from './structure.ts';

/** `de12`: the rain gauge, and from how many millimetres on a day's rain skips watering. */
export const RainConfig = structure('rain_config', {
  mm_per_pulse: f32,
  debounce_ms: u16,
  enabled: u8,
  integration: u8,
  sensitivity_pct: f32,
  skip_mm: f32,
  reserved: raw(2),
});

/** `defb`: 0 stop, 1 start, 3 compute with `volume_ml`, 4 apply, 5 default. The sheet names only the action and the volume. */
export const FlowCalibration = structure('flow_calibration', {
  action: u8,
  pulses: u32,
  volume_ml: u32,
  pulses_per_litre: u32,
});
