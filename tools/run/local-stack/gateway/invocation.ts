import * as z from 'zod';
import type { GatewayEvent } from './gateway-events.ts';
import type { GatewayManners } from './manners.ts';

/** The function: any Lambda handler for API Gateway's WebSocket events. */
export type Invoke = (event: GatewayEvent) => Promise<unknown>;

/** `answered`: what the function said. Otherwise the status with which API Gateway reports that it said nothing useful. */
export type Verdict =
  | { readonly answered: true; readonly statusCode: number; readonly subprotocol?: string }
  | { readonly answered: false; readonly status: 500 | 502 | 504 };

const Answer = z.object({
  statusCode: z.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

const LATE = Symbol('late');

/** Calls the function as API Gateway does: it may fail, be late or be killed, and none of that throws. */
export function invocation(manners: () => GatewayManners, integrationMs: number) {
  let invoke: Invoke | undefined;

  const killed = (event: GatewayEvent): 'before' | 'after' | undefined => {
    const { kill, killShare, random } = manners();
    const told = kill?.(event);
    if (told !== undefined || killShare === 0 || random() >= killShare) return told;
    return random() < 0.5 ? 'before' : 'after';
  };

  return {
    deliverTo(next: Invoke | undefined) {
      invoke = next;
    },
    async call(event: GatewayEvent): Promise<Verdict> {
      const death = killed(event);
      if (invoke === undefined) return { answered: false, status: 500 };
      if (death === 'before') return { answered: false, status: 502 };
      let answer: unknown;
      try {
        answer = await inTime(invoke(event), integrationMs);
      } catch {
        return { answered: false, status: 502 };
      }
      if (answer === LATE) return { answered: false, status: 504 };
      if (death === 'after') return { answered: false, status: 502 };
      const read = Answer.safeParse(answer);
      if (!read.success || read.data.statusCode === 500) return { answered: false, status: 502 };
      const { statusCode, headers = {} } = read.data;
      const [, subprotocol] =
        Object.entries(headers).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol') ?? [];
      return { answered: true, statusCode, ...(subprotocol === undefined ? {} : { subprotocol: String(subprotocol) }) };
    },
  };
}

async function inTime(work: Promise<unknown>, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
