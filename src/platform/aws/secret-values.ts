import * as z from 'zod';

const text = z.string().min(1).optional();
/** A token may be a list while it rotates: both the old and the new one are good. */
const token = z.union([z.string().min(16), z.array(z.string().min(16)).min(1)]).optional();

/** The secret's JSON: every entry may be missing, since only what is asked for is needed. */
export const SecretValues = z.object({
  STRIPE_SECRET_KEY: text,
  STRIPE_WEBHOOK_SECRET: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  KINDWISE_API_KEY: text,
  PLANTNET_API_KEY: text,
  FACTORY_PROVISION_TOKEN: token,
  OTA_ADMIN_TOKEN: token,
  /** Ed25519 private keys (PKCS#8), the list while they rotate: answers of `/ota/latest` are signed with each. */
  OTA_SIGNING_KEY: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  /** Ed25519 private keys (PKCS#8): the first one signs as the relay, the others are still published and trusted. */
  RELAY_IDENTITY_KEY: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  /** Session keys of the relay are encrypted with the first one; the others still decrypt. */
  RELAY_WRAP_KEY: z.union([z.string().min(32), z.array(z.string().min(32)).min(1)]).optional(),
  RATE_LIMIT_SALT: z.string().min(16).optional(),
  /** Claim and transfer codes are hashed with the first one; hashes made with the others are still understood. */
  CLAIM_CODE_KEY: token,
});

export type SecretValues = Readonly<z.output<typeof SecretValues>>;
