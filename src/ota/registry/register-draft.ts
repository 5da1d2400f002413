import type { Services } from '../../platform/services.ts';
import type { KeyStore } from './key-store.ts';
import { checkUpload } from './publish.ts';
import type { Release } from './release.ts';
import type { ReleaseStore } from './store.ts';

/** How long an upload URL is valid. */
export const UPLOAD_SECONDS = 15 * 60;

/** `created` is false when the version is taken; `release` is then the existing one. */
export interface Registered {
  readonly created: boolean;
  readonly release: Release;
}

/**
 * Registers a draft. A version is never reused, except that a draft of other bytes is replaced if it can't be
 * published: the gate refuses its image, or its upload never came.
 */
export async function registerDraft(
  { store, keys }: { readonly store: ReleaseStore; readonly keys: KeyStore },
  services: Pick<Services, 'objectStore' | 'config'>,
  draft: Release,
  now: number,
): Promise<Registered> {
  const outcome = await store.createDraft(draft);
  if (outcome.created) return outcome;
  const { release: existing } = outcome;
  if (existing.state !== 'draft' || existing.artifact.sha256 === draft.artifact.sha256) return outcome;
  const checked = await checkUpload(keys, services, existing);
  if (!('fault' in checked)) return outcome;
  const mayStillCome = now < Date.parse(existing.createdAt) + UPLOAD_SECONDS * 1000;
  if (checked.fault === 'artifact_missing' && mayStillCome) return outcome;
  const replaced = await store.replaceDraft(existing, draft);
  return replaced === undefined ? store.createDraft(draft) : { created: true, release: replaced };
}
