import * as z from 'zod';
import { textLine } from '../http/fields.ts';

const LONGEST_TEXT = 120;
const LONGEST_URL = 2048;

const httpsUrl = textLine(LONGEST_URL).refine(
  (text) => text === '' || (URL.canParse(text) && new URL(text).protocol === 'https:'),
  'an https address',
);

/** The nine fields a user may set. An empty string clears a field; unknown fields are rejected. */
export const ProfileChange = z.strictObject({
  displayName: textLine(LONGEST_TEXT).optional(),
  photoURL: httpsUrl.optional(),
  language: textLine(LONGEST_TEXT).optional(),
  unitSystem: textLine(LONGEST_TEXT).optional(),
  theme: textLine(LONGEST_TEXT).optional(),
  notificationsEnabled: z.boolean().optional(),
  phone: textLine(LONGEST_TEXT).optional(),
  company: textLine(LONGEST_TEXT).optional(),
  country: textLine(LONGEST_TEXT).optional(),
});
export type ProfileChange = z.output<typeof ProfileChange>;

/** The profile as stored and returned. */
export const Profile = z.object({
  displayName: z.string().optional(),
  photoURL: z.string().optional(),
  language: z.string().optional(),
  unitSystem: z.string().optional(),
  theme: z.string().optional(),
  notificationsEnabled: z.boolean().optional(),
  phone: z.string().optional(),
  company: z.string().optional(),
  country: z.string().optional(),
  updatedAt: z.string().optional(),
});
export type Profile = z.output<typeof Profile>;

export interface ProfilePatch {
  readonly set: Readonly<Record<string, string | boolean>>;
  readonly remove: readonly string[];
}

/** Translates a change into an update of the stored attributes; only the fields sent are changed. */
export function profilePatch(change: ProfileChange): ProfilePatch {
  const sent = Object.entries(change);
  return {
    set: Object.fromEntries(
      sent.flatMap(([field, value]) => (value === undefined || value === '' ? [] : [[field, value]])),
    ),
    remove: sent.flatMap(([field, value]) => (value === '' ? [field] : [])),
  };
}

/** Returns the part of a change mirrored to Cognito (contract: `displayName` is `name`, `photoURL` is `picture`). */
export function mirroredAttributes(change: ProfileChange): { readonly name?: string; readonly picture?: string } {
  return {
    ...(change.displayName === undefined ? {} : { name: change.displayName }),
    ...(change.photoURL === undefined ? {} : { picture: change.photoURL }),
  };
}
