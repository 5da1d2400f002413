import type { DeploySettings } from './deploy-settings.ts';
import { type LiveVersions, rollbackCommands } from './stack-facts.ts';

/** Returns the message for a deployment that failed after going live. @param before the versions that were live before */
export function wayBack(error: unknown, settings: DeploySettings, before: LiveVersions): string {
  const reason = error instanceof Error ? error.message : String(error);
  const commands = rollbackCommands(settings, before);
  const back =
    commands.length === 0
      ? 'There is no previous version to roll back to: fix the problem and deploy again.'
      : `The new version is live. To roll back to the previous one:\n  ${commands.join('\n  ')}`;
  return `${reason}\n${back}`;
}
