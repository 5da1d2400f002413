import type { DeploySettings } from './deploy-settings.ts';
import { rollbackCommand } from './stack-facts.ts';

/** Returns the message for a deployment that failed after going live. @param before the version that was live before */
export function wayBack(error: unknown, settings: DeploySettings, before: string | undefined): string {
  const reason = error instanceof Error ? error.message : String(error);
  const back =
    before === undefined
      ? 'There is no previous version to roll back to: fix the problem and deploy again.'
      : `The new version is live. To roll back to the previous one:\n  ${rollbackCommand(settings, before)}`;
  return `${reason}\n${back}`;
}
