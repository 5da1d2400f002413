import type { Secrets } from '../aws/secrets.ts';
import type { Clock } from '../clock.ts';
import { StripeNotConfiguredError } from './stripe-errors.ts';

/** Maximum age of a signature, in seconds: Stripe's own default. */
const TOLERANCE_SECONDS = 300;

export interface StripeSignatures {
  /**
   * Checks whether Stripe signed exactly these bytes within the last minutes, with any of the current secrets (two
   * during a rotation). Rereads the secret after a miss, so that a rotation needs no deploy.
   *
   * @param header the value of `Stripe-Signature`
   * @throws StripeNotConfiguredError when there is no webhook secret: that is our fault, not the sender's
   */
  isGenuine(raw: Uint8Array, header: string): Promise<boolean>;
}

export function createStripeSignatures(secrets: Secrets, clock: Clock): StripeSignatures {
  return {
    async isGenuine(raw, header) {
      const { default: StripeSdk } = await import('stripe');
      const { signature } = StripeSdk.webhooks;
      if (signature === null) throw new Error('the SDK has no signature check');
      const isSignedWith = (secret: string): boolean => {
        try {
          return signature.verifyHeader(raw, header, secret, TOLERANCE_SECONDS, undefined, clock.now());
        } catch (error) {
          if (error instanceof StripeSdk.errors.StripeSignatureVerificationError) return false;
          throw error;
        }
      };
      const matches = async (read: () => Promise<Awaited<ReturnType<Secrets['values']>>>): Promise<boolean> => {
        const { STRIPE_WEBHOOK_SECRET: secret } = await read();
        if (secret === undefined) throw new StripeNotConfiguredError();
        return [secret].flat().some(isSignedWith);
      };
      return (await matches(secrets.values)) || (await matches(secrets.freshValues));
    },
  };
}
