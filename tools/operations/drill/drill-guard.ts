import type { Stack } from '@aws-sdk/client-cloudformation';
import { RefusedError } from '../../cli/plain-error.ts';

/** What `npm run deploy` writes on the stack of a drill. */
export const DRILL_TAG = { key: 'purpose', value: 'drill' } as const;

/** Whether an environment is one for drills, by its name: it stands in the name of everything that it has. */
export function isDrillName(environment: string): boolean {
  return /^drill(-[a-z0-9-]+)?$/.test(environment);
}

/**
 * @param stack the environment's; undefined when it is gone already
 * @throws RefusedError for everything that was not deployed as a drill
 */
export function refuseUnlessDrill(environment: string, stack: Stack | undefined): void {
  if (!isDrillName(environment)) {
    throw new RefusedError(
      `${environment} is no drill: only environments called drill or drill-… are removed. Nothing was changed.`,
    );
  }
  if (stack === undefined) return;
  const isMarked = stack.Tags?.some(({ Key: key, Value: value }) => key === DRILL_TAG.key && value === DRILL_TAG.value);
  if (isMarked !== true) {
    throw new RefusedError(
      `The stack ${stack.StackName} is not marked as a drill (tag ${DRILL_TAG.key}=${DRILL_TAG.value}), as ` +
        '"npm run deploy" does it. Nothing was changed.',
    );
  }
  const of = stack.Parameters?.find(({ ParameterKey: name }) => name === 'Environment')?.ParameterValue;
  if (of !== environment) {
    throw new RefusedError(
      `The stack ${stack.StackName} is of the environment ${of ?? 'of no name'}. Nothing was changed.`,
    );
  }
}
