import type { Answer, Backend } from './backend.ts';
import { billing, type TestUser } from './billing.ts';
import { jpeg, photoForm } from './photos.ts';

/** The actions of plant owners. */
export function gardeners(backend: Backend) {
  return {
    /** A user with stored premium. */
    async premium(): Promise<TestUser> {
      const people = billing(backend);
      const user = await people.subscribed();
      await people.status(user);
      return user;
    },
    send(
      route: '/aiDoctor' | '/plantId',
      { headers }: Pick<TestUser, 'headers'>,
      form: FormData = photoForm(jpeg()),
    ): Promise<Answer> {
      return backend.call(route, { headers, body: form });
    },
    usage: async ({ headers }: Pick<TestUser, 'headers'>) => (await backend.call('/usage', { headers })).body,
  };
}
