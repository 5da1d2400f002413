import * as z from 'zod';
import type { CborFields, CborMap } from '../smp/cbor.ts';
import { GROUP } from '../smp/header.ts';
import type { SmpClient } from './smp-client.ts';

const Flag = z.boolean().default(false);

/** Absent flags are false: devices built with `…FRUGAL_LIST` send only the true ones (facts sheet, C1). */
const ImageEntry = z
  .map(z.string(), z.unknown())
  .transform((entry) => Object.fromEntries(entry))
  .pipe(
    z.object({
      slot: z.number(),
      version: z.string(),
      hash: z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('hex')),
      pending: Flag,
      confirmed: Flag,
      active: Flag,
      permanent: Flag,
    }),
  );

export type ImageEntry = z.output<typeof ImageEntry>;

const Signature = z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('base64'));

export type SignedReceipt = z.output<typeof SignedReceipt>;

const SignedReceipt = z.object({
  nonce: z.string(),
  image_hash: z.string(),
  slots: z.array(
    z
      .map(z.string(), z.unknown())
      .transform((entry) => Object.fromEntries(entry))
      .pipe(
        z.object({
          slot: z.number(),
          hash: z.string(),
          active: z.boolean(),
          confirmed: z.boolean(),
          pending: z.boolean(),
        }),
      ),
  ),
  signature: Signature,
});

function plain(fields: CborFields): Record<string, unknown> {
  return Object.fromEntries([...fields].map(([key, value]) => [String(key), value]));
}

/** The first chunk makes the device erase. Other clients wait this long for it too (facts sheet, H3). */
const ERASE_MS = 40_000;

/** The requests of the update flow, with parsed answers. */
export function deviceCommands(client: SmpClient) {
  const images = async (op: 'read' | 'write', fields: CborMap = {}): Promise<ImageEntry[]> => {
    const answer = await client.request({ op, group: GROUP.image, command: 0, fields });
    return z.array(ImageEntry).parse(answer.get('images'));
  };
  return {
    async echo(text: string): Promise<string> {
      const answer = await client.request({ op: 'write', group: GROUP.os, command: 0, fields: { d: text } });
      return z.string().parse(answer.get('r'));
    },
    /** The device's longest packet in bytes, and how many it can hold. */
    async parameters(): Promise<{ readonly bufferBytes: number; readonly bufferCount: number }> {
      const answer = await client.request({ op: 'read', group: GROUP.os, command: 6 });
      const bufferBytes = z.number().parse(answer.get('buf_size'));
      return { bufferBytes, bufferCount: z.number().parse(answer.get('buf_count')) };
    },
    images: () => images('read'),
    /** Marks the image with that hash for one trial boot. */
    test: (hash: string) => images('write', { hash: Buffer.from(hash, 'hex'), confirm: false }),
    /** Confirms the running image. */
    confirm: () => images('write', { confirm: true }),
    /** Confirms the image with that hash: the running one, or permanently the one in the other slot. */
    confirmImage: (hash: string) => images('write', { hash: Buffer.from(hash, 'hex'), confirm: true }),
    /** Asks the device to prove its presence, for a claim. */
    async signClaim(nonce: string): Promise<{ readonly nonce: string; readonly signature: string }> {
      const answer = await client.request({ op: 'write', group: GROUP.identity, command: 0, fields: { nonce } });
      return { nonce, signature: Signature.parse(answer.get('signature')) };
    },
    /** Asks the device to sign which image runs, in the backend's format. */
    async signReceipt(nonce: string): Promise<SignedReceipt> {
      const answer = await client.request({ op: 'write', group: GROUP.identity, command: 1, fields: { nonce } });
      return SignedReceipt.parse({ nonce, ...plain(answer) });
    },
    async reset(): Promise<void> {
      await client.request({ op: 'write', group: GROUP.os, command: 5 });
    },
    /** Erases the slot that is not running. */
    async erase(): Promise<void> {
      await client.request({ op: 'write', group: GROUP.image, command: 5, timeoutMs: ERASE_MS });
    },
    /** Sends one chunk; returns the offset that the device expects next. */
    async uploadChunk(fields: CborMap): Promise<{ readonly offset: number; readonly match: boolean | undefined }> {
      const isFirst = fields['off'] === 0;
      const request = { op: 'write', group: GROUP.image, command: 1, fields } as const;
      const answer = await client.request(isFirst ? { ...request, timeoutMs: ERASE_MS } : request);
      const match = z.boolean().optional().parse(answer.get('match'));
      return { offset: z.number().parse(answer.get('off')), match };
    },
  };
}

export type DeviceCommands = ReturnType<typeof deviceCommands>;
