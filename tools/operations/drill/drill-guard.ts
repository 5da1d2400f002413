import type { Stack } from '@aws-sdk/client-cloudformation';
import { RefusedError } from '../../cli/plain-error.ts';

/** The tag that `npm run deploy` sets on a drill's stack. */
export const DRILL_TAG = { key: 'purpose', value: 'drill' } as const;

/** Checks whether an environment is a drill by its name, which is part of the names of all its resources. */
export function isDrillName(environment: string): boolean {
  return /^drill(-[a-z0-9-]+)?$/.test(environment);
}

/**
 * @param stack the environment's stack; undefined when it is deleted already
 * @throws RefusedError if it was not deployed as a drill
 */
export function refuseUnlessDrill(environment: string, stack: Stack | undefined): void {
  if (!isDrillName(environment)) {
    throw new RefusedError(
      `${environment} is not a drill: only environments called drill or drill-… can be removed. Nothing was changed.`,
    );
  }
  if (stack === undefined) return;
  const isMarked = stack.Tags?.some(({ Key: key, Value: value }) => key === DRILL_TAG.key && value === DRILL_TAG.value);
  if (isMarked !== true) {
    throw new RefusedError(
      `The stack ${stack.StackName} is not marked as a drill: "npm run deploy" would have set the tag ` +
        `${DRILL_TAG.key}=${DRILL_TAG.value}. Nothing was changed.`,
    );
  }
  const of = stack.Parameters?.find(({ ParameterKey: name }) => name === 'Environment')?.ParameterValue;
  if (of !== environment) {
    throw new RefusedError(
      `The stack ${stack.StackName} belongs to the environment ${of ?? '(no name)'}. Nothing was changed.`,
    );
  }
}
