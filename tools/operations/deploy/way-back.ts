import type { DeploySettings } from './deploy-settings.ts';
import { rollbackCommand } from './stack-facts.ts';

/** What somebody needs to know whose deployment is out and does badly. @param before the version that was live before */
export function wayBack(error: unknown, settings: DeploySettings, before: string | undefined): string {
  const reason = error instanceof Error ? error.message : String(error);
  const back =
    before === undefined
      ? 'There is no former version: mend it and deploy again.'
      : `The new version answers requests. To bring the former one back:\n  ${rollbackCommand(settings, before)}`;
  return `${reason}\n${back}`;
}
