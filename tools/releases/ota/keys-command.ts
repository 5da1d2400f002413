import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { targetOptions, tokenCall } from '../../cli/target/admin-call.ts';
import type { TargetOptions } from '../../cli/target/target.ts';
import { textTable } from '../../cli/terminal/text-table.ts';

const Keys = z.object({
  keys: z.array(
    z.object({
      key_hash: z.string(),
      algorithm: z.string(),
      public_key: z.string(),
      note: z.string(),
      added_at: z.string(),
    }),
  ),
});
const Changed = z.object({ board: z.string(), key_hash: z.string() });
const SigningKeys = z.object({
  keys: z.array(z.object({ key_id: z.string(), algorithm: z.string(), public_key: z.string() })),
});

interface Options extends TargetOptions {
  readonly board: string;
  readonly note?: string;
  readonly json: boolean;
}

/** @param name the command's name in its help */
export function keysCommand(name: string, signal: AbortSignal): Command {
  const program = new Command(name).description(
    "Manages the public keys that a board's bootloaders trust, and shows those that phones verify responses with.",
  );
  const options = (command: Command) =>
    targetOptions(
      command
        .option('--board <name>', 'the board', 'arduino_nano_33_ble')
        .option('--json', 'JSON, for machines', false),
      'admin',
    );
  const print = (given: Options, value: unknown, text: string) =>
    console.log(given.json ? JSON.stringify(value) : text);

  options(program.command('list'))
    .description('Lists the keys. Only images signed with one of them can be published.')
    .addHelpText('after', '\nExample:\n  npm run ota:keys -- list\n')
    .action(async (given: Options) => {
      const call = await tokenCall(given, 'admin', signal);
      const found = await call(`/ota/keys?board=${encodeURIComponent(given.board)}`, Keys);
      const rows = found.keys.map((key) => [key.key_hash, key.algorithm, key.added_at.slice(0, 10), key.note]);
      const none = `No key is registered for ${given.board}. Add one: npm run ota:keys -- add key.pub.pem`;
      print(given, found, rows.length === 0 ? none : textTable(['Key hash', 'Algorithm', 'Since', 'Note'], rows));
    });
  options(program.command('add'))
    .description('Registers a public key.')
    .argument('<file>', 'the public key as PEM, from "imgtool getpub -k key.pem --encoding pem"')
    .option('--note <text>', 'a note on the key', '')
    .addHelpText('after', '\nExample:\n  npm run ota:keys -- add root-ec-p256.pub.pem --note "since 2026"\n')
    .action(async (file: string, given: Options) => {
      const call = await tokenCall(given, 'admin', signal, { changes: true });
      const body = { board: given.board, public_key: await readKey(file), note: given.note ?? '' };
      const added = await call('/ota/keys', Changed, body);
      print(given, added, `${added.key_hash} is now trusted for ${added.board}.`);
    });
  options(program.command('remove'))
    .description('Removes a key. Published releases are kept.')
    .argument('<key-hash>', 'the hash shown by list')
    .addHelpText('after', '\nExample:\n  npm run ota:keys -- remove 5a1b…\n')
    .action(async (keyHash: string, given: Options) => {
      const call = await tokenCall(given, 'admin', signal, { changes: true });
      const removed = await call(`/ota/keys/${encodeURIComponent(keyHash)}/remove`, Changed, { board: given.board });
      print(given, removed, `${removed.key_hash} is no longer trusted for ${removed.board}.`);
    });
  options(program.command('signing'))
    .description('Shows the public keys that phones verify responses of /ota/latest with.')
    .addHelpText('after', '\nExample:\n  npm run ota:keys -- signing\n')
    .action(async (given: Options) => {
      const call = await tokenCall(given, 'admin', signal);
      const found = await call('/ota/signing-keys', SigningKeys);
      const text = found.keys.map(({ key_id: id, public_key: pem }) => `${id}\n${pem.trim()}`).join('\n\n');
      print(given, found, text === '' ? 'Responses are not signed: the secret has no OTA_SIGNING_KEY.' : text);
    });
  return program;
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new PlainError(`Can't read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
