import { Command } from 'commander';
import * as z from 'zod';
import { type FleetOptions, fleetCall, fleetOptions } from './fleet-options.ts';
import { findDevice } from './list-commands.ts';

const Stepped = z.looseObject({ hw_id: z.string(), previous_state: z.string() });
const Replaced = z.looseObject({ old_serial: z.string(), new_serial: z.string(), already_done: z.boolean() });
const Reissued = z.looseObject({ serial: z.string(), claim_code: z.string() });

interface StepOptions extends FleetOptions {
  readonly reason?: string;
}

/** The commands that change a device's state on behalf of the factory or support. */
export function serviceCommands(signal: AbortSignal): readonly Command[] {
  const print = (options: FleetOptions, value: unknown, text: string) =>
    console.log(options.json ? JSON.stringify(value) : text);
  const why = ({ reason }: StepOptions) => (reason === undefined ? {} : { reason });
  const withReason = (command: Command) => fleetOptions(command).option('--reason <text>', 'why, for the audit');

  const step = (name: 'activate' | 'revoke' | 'reactivate', description: string, done: string) =>
    withReason(new Command(name))
      .description(description)
      .argument('<device>', 'its serial or hardware id')
      .addHelpText('after', `\nExample:\n  npm run fleet -- ${name} 000123 --reason "RMA 17"\n`)
      .action(async (device: string, options: StepOptions) => {
        const call = await fleetCall(options, signal, true);
        const { hw_id: hwId, serial } = await findDevice(call, device);
        const result = await call(`/${name}Device`, Stepped, { hw_id: hwId, ...why(options) });
        print(options, result, `${serial} ${done}; it was ${result.previous_state} before.`);
      });

  return [
    step('activate', 'Activates a factory_only device, so that it can be claimed.', 'can be claimed now'),
    step('revoke', 'Takes a device out of service and releases it from its owner.', 'is out of service'),
    step('reactivate', 'Returns a revoked device to service; anyone can claim it.', 'is in service again'),
    withReason(new Command('replace'))
      .description('Replaces a revoked device with a new unit, which gets its owner, name and settings.')
      .argument('<old>', 'serial or hardware id of the revoked device')
      .argument('<new>', 'serial or hardware id of the new unit')
      .addHelpText('after', '\nExample:\n  npm run fleet -- replace 000123 000987 --reason "RMA 17"\n')
      .action(async (old: string, unit: string, options: StepOptions) => {
        const call = await fleetCall(options, signal, true);
        const [from, to] = await Promise.all([findDevice(call, old), findDevice(call, unit)]);
        const body = { old_hw_id: from.hw_id, new_hw_id: to.hw_id, ...why(options) };
        const result = await call('/replaceDevice', Replaced, body);
        const when = result.already_done ? ' (done before)' : '';
        print(options, result, `${result.new_serial} has replaced ${result.old_serial}${when}.`);
      }),
    withReason(new Command('reissue'))
      .description('Creates a new claim code for a device without an owner; the old code becomes invalid.')
      .argument('<device>', 'its serial or hardware id')
      .addHelpText('after', '\nExample:\n  npm run fleet -- reissue 000123 --reason "label torn"\n')
      .action(async (device: string, options: StepOptions) => {
        const call = await fleetCall(options, signal, true);
        const { hw_id: hwId } = await findDevice(call, device);
        const result = await call('/reissueClaimCode', Reissued, { hw_id: hwId, ...why(options) });
        const code = `${result.claim_code.slice(0, 5)}-${result.claim_code.slice(5)}`;
        print(options, result, `Serial ${result.serial}, claim code ${code}. It is shown only this once.`);
      }),
  ];
}
