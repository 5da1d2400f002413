import { readFileSync } from 'node:fs';
import { type FlashOperation, PAGE_BYTES } from '@autowatering/firmware-sim';

/** The largest write that covers trailer fields. Longer ones belong to an image. */
const LONGEST_FIELD = 16;

/** A line of the reference traces: operation, place and bytes. */
export function traceLine(operation: FlashOperation, sectors: Readonly<Record<string, number>>): string {
  const { flash, offset } = operation;
  if (operation.kind === 'erase') return `E ${flash} sector ${offset / PAGE_BYTES}`;
  if (operation.bytes.byteLength > LONGEST_FIELD) return `W ${flash} sector ${Math.floor(offset / PAGE_BYTES)} copy`;
  const end = (sectors[flash] ?? 0) * PAGE_BYTES - offset;
  return `W ${flash} end-${end}: ${Buffer.from(operation.bytes).toString('hex')}`;
}

/**
 * The same lines from a file recorded with MCUboot itself.
 *
 * @param title the trace's heading in the file
 * @returns the lines of each step: the marking, then each boot
 */
export function referenceTrace(file: string, title: string): string[][] {
  const text = readFileSync(`test/fixtures/smp/${file}`, 'utf8');
  const trace = text.split('########## ').find((part) => part.startsWith(title));
  if (trace === undefined) throw new Error(`${file} holds no trace "${title}"`);
  const blocks: string[][] = [[]];
  for (const line of trace.split('\n')) {
    const step = /^\s*([\d-]+) ([EW]) (PRI|SEC|SCR) (.*)$/.exec(line);
    if (step === null) blocks.push([]);
    else blocks.at(-1)?.push(...operations(step));
  }
  return blocks.filter((block) => block.length > 0);
}

/** `17-20 W SEC sector 2 (4096 B copied)` is four writes. */
function operations([, numbers = '', kind, area, rest = '']: RegExpExecArray): string[] {
  const sector = /sector (\d+)/.exec(rest)?.[1];
  const [first = 0, last = first] = numbers.split('-').map(Number);
  const written = sector === undefined ? `W ${area} ${rest}` : `W ${area} sector ${sector} copy`;
  return Array.from({ length: last - first + 1 }, () => (kind === 'E' ? `E ${area} sector ${sector}` : written));
}
