import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type CollectionTag, parse, type ScalarTag } from 'yaml';
import * as z from 'zod';

const FILE = fileURLToPath(new URL('../../../template.yaml', import.meta.url));
const INTRINSICS = ['!Ref', '!Sub', '!GetAtt', '!If', '!Not', '!Equals', '!Join', '!Split', '!Select', '!And', '!Or'];

/** CloudFormation's short forms, parsed as `{ "!Sub": … }` to distinguish them from plain values. */
const customTags: (ScalarTag | CollectionTag)[] = INTRINSICS.flatMap((tag) => [
  { tag, resolve: (text: string) => ({ [tag]: text }) } satisfies ScalarTag,
  {
    tag,
    collection: 'seq',
    resolve: (seq) => ({ [tag]: 'toJSON' in seq ? seq.toJSON() : seq }),
  } satisfies CollectionTag,
]);

const Resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) });
const Template = z.looseObject({
  Parameters: z.record(z.string(), z.record(z.string(), z.unknown())),
  Resources: z.record(z.string(), Resource),
});
export type Template = z.output<typeof Template>;

/** Reads the SAM template. */
export async function readTemplate(file: string = FILE): Promise<Template> {
  return parseTemplate(await readFile(file, 'utf8'));
}

export function parseTemplate(text: string): Template {
  return Template.parse(parse(text, { customTags }));
}
