import { deviceCommands, type FlashMap, imageGroup, SmpServer } from '@autowatering/firmware-sim';
import { directClient } from './direct-client.ts';

/** Marks the image in slot 1 like mcumgr, for test or permanently. */
export async function mark(flash: FlashMap, permanent = false): Promise<void> {
  const client = directClient(new SmpServer({ groups: [imageGroup(flash)], bufferBytes: 2475 }));
  const [, other] = await deviceCommands(client).images();
  if (other === undefined) throw new Error('slot 1 holds no image');
  const hash = Buffer.from(other.hash, 'hex');
  if (permanent) await client.request({ op: 'write', group: 1, command: 0, fields: { hash, confirm: true } });
  else await deviceCommands(client).test(other.hash);
}
