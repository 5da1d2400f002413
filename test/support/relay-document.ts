import { readFileSync } from 'node:fs';
import type { PeerFrame, ServerFrame, ServerHello } from '@autowatering/relay-protocol';
import { Ajv } from 'ajv';
import * as z from 'zod';

const Message = z.object({
  payload: z.record(z.string(), z.unknown()),
  examples: z.array(z.object({ payload: z.unknown() })),
});
const Document = z.object({ components: z.object({ messages: z.record(z.string(), Message) }) });

const { messages } = Document.parse(JSON.parse(readFileSync('docs/asyncapi.json', 'utf8'))).components;
const ajv = new Ajv({ allErrors: true, strict: false });
const compiled = new Map<string, ReturnType<Ajv['compile']>>();

/** The document's messages by their name. */
export const DOCUMENTED_MESSAGES = messages;

/** What `docs/asyncapi.json` finds wrong with a message, as a list of texts. */
export function documentFaults(name: string, value: unknown): readonly string[] {
  const schema = messages[name]?.payload;
  if (schema === undefined) return [`there is no message ${name}`];
  const validate = compiled.get(name) ?? ajv.compile(schema);
  compiled.set(name, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${name}${instancePath} ${message}`);
}

/** For connections of tests: @throws for a frame from the server that is not as documented */
export function checkDocumented(frame: ServerFrame | ServerHello): void {
  const faults = documentFaults(frame.type, frame);
  if (faults.length > 0) throw new Error(`Not as in docs/asyncapi.json: ${faults.join('; ')}`);
}

/** The message that a peer's frame is in the document. */
export function nameOfRequest({ type }: Pick<PeerFrame, 'type'>): string {
  return `${type}_request` in messages ? `${type}_request` : type;
}
