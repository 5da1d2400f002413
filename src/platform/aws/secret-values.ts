import { either, type Fields, fields, listOf, optional, type Shape, textThat } from '../shapes.ts';

const filled = textThat((text) => text.length >= 1, 'text');
const long = textThat((text) => text.length >= 16, 'text of at least 16 characters');
const wrapping = textThat((text) => text.length >= 32, 'text of at least 32 characters');
/** May be a list during a rotation: both the old and the new one are valid. */
const oneOrMore = (entry: Shape<string>) => optional(either(entry, listOf(entry, { atLeast: 1 })));

const ENTRIES = {
  STRIPE_SECRET_KEY: optional(filled),
  STRIPE_WEBHOOK_SECRET: oneOrMore(filled),
  KINDWISE_API_KEY: optional(filled),
  PLANTNET_API_KEY: optional(filled),
  FACTORY_PROVISION_TOKEN: oneOrMore(long),
  OTA_ADMIN_TOKEN: oneOrMore(long),
  /** Ed25519 private keys (PKCS#8): answers of `/ota/latest` are signed with each. */
  OTA_SIGNING_KEY: oneOrMore(filled),
  /** Ed25519 private keys (PKCS#8): the first one signs as the relay, the others are still published and trusted. */
  RELAY_IDENTITY_KEY: oneOrMore(filled),
  /** Session keys of the relay are encrypted with the first one; the others still decrypt. */
  RELAY_WRAP_KEY: oneOrMore(wrapping),
  /** Private keys of P-256 (PKCS#8): browsers subscribe with the first one's public key; pushes are sent under each. */
  VAPID_KEY: oneOrMore(filled),
  /** Links in mails are signed with the first one; those signed with the others still work. */
  UNSUBSCRIBE_KEY: oneOrMore(wrapping),
  RATE_LIMIT_SALT: optional(long),
  /** Claim and transfer codes are hashed with the first one; hashes made with the others are still understood. */
  CLAIM_CODE_KEY: oneOrMore(long),
};

/** The secret's JSON. Every entry may be missing, since only what is asked for is needed. */
export type SecretValues = Fields<typeof ENTRIES>;

/** @throws ShapeError with the names of the malformed entries */
export const readSecretValues: Shape<SecretValues> = fields(ENTRIES);
