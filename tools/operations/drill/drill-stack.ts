import { type CloudFormation, type Stack, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import { PlainError } from '../../cli/plain-error.ts';

const LONGEST_SECONDS = 30 * 60;

/** Returns an environment's stack; undefined if there is none. */
export async function findStack(cloudFormation: CloudFormation, environment: string): Promise<Stack | undefined> {
  try {
    const { Stacks: stacks = [] } = await cloudFormation.describeStacks({ StackName: `autowatering-${environment}` });
    return stacks.find(({ StackStatus: status }) => status !== 'DELETE_COMPLETE');
  } catch (error) {
    // CloudFormation has no dedicated error for a missing stack.
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Deletes a stack and waits. Retained resources are kept. @throws PlainError if the deletion fails */
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
      `The stack ${name} was not deleted. Check its events in CloudFormation, then run this command again. ` +
        `(${error instanceof Error ? error.name : String(error)})`,
    );
  }
}
