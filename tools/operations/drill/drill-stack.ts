import { type CloudFormation, type Stack, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import { PlainError } from '../../cli/plain-error.ts';

const LONGEST_SECONDS = 30 * 60;

/** The stack of an environment; undefined when there is none. */
export async function findStack(cloudFormation: CloudFormation, environment: string): Promise<Stack | undefined> {
  try {
    const { Stacks: stacks = [] } = await cloudFormation.describeStacks({ StackName: `autowatering-${environment}` });
    return stacks.find(({ StackStatus: status }) => status !== 'DELETE_COMPLETE');
  } catch (error) {
    // CloudFormation has no error of its own for a stack that is not there.
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Deletes a stack and waits for it. What its template retains stays. @throws PlainError when CloudFormation gives up */
export async function removeStack(cloudFormation: CloudFormation, stack: Stack, signal: AbortSignal): Promise<void> {
  const { StackName: name = '', StackId: id = name } = stack;
  await cloudFormation.deleteStack({ StackName: id });
  try {
    await waitUntilStackDeleteComplete(
      { client: cloudFormation, maxWaitTime: LONGEST_SECONDS, minDelay: 1, maxDelay: 15, abortSignal: signal },
      { StackName: id },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new PlainError(
      `The stack ${name} was not deleted. Its events tell why (CloudFormation, ${name}); then run this again. ` +
        `(${error instanceof Error ? error.name : String(error)})`,
    );
  }
}
