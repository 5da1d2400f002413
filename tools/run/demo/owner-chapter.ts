import * as z from 'zod';
import { ApiCallError, apiClient } from '../../cli/target/api-client.ts';
import { cognitoUsers, type Tokens } from '../local-stack/cognito/cognito-users.ts';
import type { StackFile } from '../local-stack/stack-file.ts';
import type { MadeDevice } from './factory-chapter.ts';
import { type Story, StoryError } from './story.ts';

const MyDevices = z.object({ count: z.number(), devices: z.array(z.object({ serial: z.string() })) });
const Profile = z.object({
  profile: z.object({ displayName: z.string().optional(), language: z.string().optional() }),
});
const Challenge = z.object({ nonce: z.string() });
const Saved = z.object({ docVersion: z.number() });
const State = z.object({ state: z.unknown(), docVersion: z.number() });

/** Two users sign up. The first claims a device and saves profile and state; the second is too late. */
export async function ownerChapter(
  story: Story,
  stack: StackFile,
  device: MadeDevice,
  sign: (nonce: string) => Promise<{ readonly nonce: string; readonly signature: string }>,
  signal: AbortSignal,
): Promise<Tokens> {
  const call = apiClient(stack.apiBaseUrl, signal);
  const people = cognitoUsers(stack.cognito);
  const [{ password } = { password: 'Aw1!demo-password' }] = stack.users;
  const signIn = async (email: string) => {
    await people.signUp(email, password);
    return people.logIn(email, password);
  };
  const owner = await story.display.during('Signing up and logging in', () => signIn('owner@autowatering.example'));
  const other = await signIn('second@autowatering.example');
  const as = (token: string) => ({ Authorization: `Bearer ${token}` });
  const claim = async (token: string) => {
    const { serial } = device;
    const asked = { method: 'POST', headers: as(token), body: { serial } } as const;
    const { nonce } = await call('/claimChallenge', Challenge, asked);
    const body = { serial, proof: await sign(nonce) };
    return call('/claimDevice', z.looseObject({ claimed: z.literal(true) }), { ...asked, body });
  };

  await claim(owner.idToken);
  const mine = await call('/myDevices', MyDevices, { headers: as(owner.idToken) });
  story.promise(
    mine.devices.some(({ serial }) => serial === device.serial),
    `device ${device.serial} is claimed: it signed the nonce that the phone relayed`,
  );
  await refused(story, 'already_claimed', 'a second user gets already_claimed', () => claim(other.idToken));

  const state = { zones: [{ name: 'Tomatoes', litres: 2.5 }], schedule: '06:30' };
  await call('/updateProfile', Profile, {
    method: 'POST',
    headers: as(owner.idToken),
    body: { profile: { displayName: 'Ada', language: 'de' } },
  });
  const saved = await call('/saveUserState', Saved, {
    method: 'POST',
    headers: as(owner.idToken),
    body: { state, baseDocVersion: 0 },
  });
  // Another phone has its own login and no local data.
  const phone = await people.logIn('owner@autowatering.example', password);
  const profile = await call('/getProfile', Profile, { headers: as(phone.accessToken) });
  const loaded = await call('/getUserState', State, { headers: as(phone.accessToken) });
  story.promise(profile.profile.displayName === 'Ada', 'another phone sees the profile');
  story.promise(JSON.stringify(loaded.state) === JSON.stringify(state), 'and the saved state');
  await refused(story, 'optimistic_lock_failed', 'saving from an old version is refused', () =>
    call('/saveUserState', Saved, {
      method: 'POST',
      headers: as(phone.accessToken),
      body: { state: {}, baseDocVersion: saved.docVersion - 1 },
    }),
  );
  return owner;
}

async function refused(story: Story, code: string, text: string, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof ApiCallError)) throw error;
    story.promise(error.code === code, text);
    return;
  }
  throw new StoryError(`it was not refused with ${code}`);
}
