import { PEER_TYPES } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { textLine } from '../../http/fields.ts';

const LONGEST_NAME = 40;

/** A name as people see it: 1 to 40 characters in NFC, without white space around it. */
export const PeerName = textLine(4 * LONGEST_NAME)
  .transform((text) => text.normalize('NFC').trim())
  .refine((text) => text !== '' && [...text].length <= LONGEST_NAME, `1 to ${LONGEST_NAME} characters`);

export const PeerTypeField = z.enum(PEER_TYPES);
