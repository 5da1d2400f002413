import type { MiddlewareStack } from '@smithy/types';
import { traced } from '../observability/tracing.ts';

/** Gives every call of an AWS client a span that covers all its attempts. */
export function traceCalls<Input extends object, Output extends object>(
  stack: Pick<MiddlewareStack<Input, Output>, 'add'>,
  service: string,
): void {
  stack.add(
    (next, { commandName = 'unknown' }) =>
      (args) => {
        const operation = commandName.replace(/Command$/, '');
        return traced(`${service}.${operation}`, { 'rpc.system': 'aws-api', 'rpc.service': service }, () => next(args));
      },
    { step: 'initialize', name: 'tracing' },
  );
}
