import type { Uid } from '../../platform/ids.ts';
import type { ConversationAnswer } from '../../platform/plant-providers/kindwise.ts';
import type { UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import type { Deadline } from '../deadline.ts';
import type { PlantsNeeds } from '../plants-needs.ts';
import { type Metered, metered } from '../usage/metered.ts';

export interface FollowUp {
  readonly uid: Uid;
  readonly accessToken: string;
  readonly question: string;
  readonly signal: AbortSignal;
}

/** Continues the conversation about a photo; only the user who sent the photo may. */
export async function askAgain(
  needs: PlantsNeeds,
  { uid, accessToken, question, signal }: FollowUp,
  limits: UsageLimits,
  deadline: Deadline,
): Promise<Metered<ConversationAnswer> | { readonly outcome: 'conversation_not_found' }> {
  // Another user's conversation and one that never existed look the same.
  if (!(await needs.conversations.isOf(accessToken, uid, needs.now()))) return { outcome: 'conversation_not_found' };
  const { kindwise } = await needs.providers();
  return metered(needs, { uid, feature: 'aiDoctorFollowUp', limits }, () =>
    needs.health.watch('kindwise', () => kindwise.ask(accessToken, question, { timeoutMs: deadline.left(), signal })),
  );
}
