import type { Services } from '../../platform/services.ts';
import type { Endpoint } from './endpoint.ts';

/** Has SNS forget an app that gets no more pushes. SNS keeps what could not be removed, and nobody uses it. */
export function createRemoveTarget({ log, messengers }: Pick<Services, 'log' | 'messengers'>) {
  return async (endpoint: Endpoint): Promise<void> => {
    if (endpoint.type !== 'mobile_push') return;
    const { mobilePush } = await messengers();
    await mobilePush
      ?.remove(endpoint.target)
      .catch((error: unknown) => log.warn('SNS keeps a target that nobody uses', {}, error));
  };
}
