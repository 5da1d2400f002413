import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
beforeAll(async () => {
  backend = await startBackend({ CLAIM_PROOF: 'required' });
  fleet = fleetOf(backend);
});
afterAll(() => backend.stop());

type Headers = Record<string, string>;
const claim = (headers: Headers, serial: string, code?: string) =>
  backend.call('/claimDevice', { headers, body: { serial, ...(code === undefined ? {} : { claim_code: code }) } });

describe('where claims require a proof', () => {
  it('an unknown serial, a wrong code and a device owned by someone else look the same', async () => {
    const [free, foreign, sealed, other] = [
      await fleet.device(),
      await fleet.device(),
      await fleet.device({ status: 'factory_only' }),
      await fleet.device(),
    ];
    await claim(newUser().headers, foreign?.serial ?? '', foreign?.claim_code);
    const seen: unknown[] = [];
    for (const serial of ['999999', free?.serial ?? '', foreign?.serial ?? '', sealed?.serial ?? '']) {
      for (const code of [undefined, other?.claim_code, 'MISTYPED00']) {
        backend.dynamo.operations.length = 0;
        const answer = await claim(newUser().headers, serial, code);
        const { requestId: _id, ...error } = answer.body.error;
        seen.push({
          code: code === undefined ? 'none' : code,
          status: answer.status,
          error,
          work: [...backend.dynamo.operations].sort(),
        });
      }
    }
    const [none, wrong, mistyped] = seen;
    expect(seen).toEqual([...Array(4)].flatMap(() => [none, wrong, mistyped]));
    expect(none).toMatchObject({ status: 403, error: { code: 'claim_proof_required' } });
    expect(wrong).toMatchObject({ status: 403, error: { code: 'claim_proof_invalid' } });
  });

  it("the right code reveals the device's state", async () => {
    const taken = await fleet.device();
    await claim(newUser().headers, taken.serial, taken.claim_code);
    expect((await claim(newUser().headers, taken.serial, taken.claim_code)).body.error.code).toBe('already_claimed');
    const sealed = await fleet.device({ status: 'factory_only' });
    expect((await claim(newUser().headers, sealed.serial, sealed.claim_code)).body.error.code).toBe('not_claimable');
  });

  it('the owner can claim again without a code', async () => {
    const { serial, claim_code: code } = await fleet.device();
    const { headers } = newUser();
    await claim(headers, serial, code);
    expect((await claim(headers, serial)).body.already_owned).toBe(true);
  });

  it('one person can try ten codes per device in ten minutes, even in parallel and for unknown serials', async () => {
    const { serial, claim_code: code } = await fleet.device();
    const other = await fleet.device();
    const { headers } = newUser();
    for (const target of [serial, '999998']) {
      const answers = await Promise.all(Array.from({ length: 14 }, () => claim(headers, target, other.claim_code)));
      expect(answers.filter(({ status }) => status === 403)).toHaveLength(10);
      expect(answers.filter(({ body }) => body.error.code === 'rate_limited')).toHaveLength(4);
    }
    expect((await claim(headers, serial, code)).status).toBe(429);
    backend.clock.forward(600_000);
    expect((await claim(headers, serial, code)).status).toBe(200);
  });

  it('a mistyped code does not count as a try', async () => {
    const { serial, claim_code: code } = await fleet.device();
    const { headers } = newUser();
    for (let slip = 0; slip < 12; slip += 1) {
      expect((await claim(headers, serial, 'MISTYPED00')).body.error.code).toBe('claim_proof_invalid');
    }
    expect((await claim(headers, serial, code)).status).toBe(200);
  });

  it('strangers who keep guessing cannot lock out the person with the right code', async () => {
    const { serial, claim_code: code } = await fleet.device();
    const other = await fleet.device();
    const strangers = Array.from({ length: 3 }, () => newUser());
    const guess = (times: number) =>
      Promise.all(
        strangers.flatMap(({ headers }) =>
          Array.from({ length: times }, () => claim(headers, serial, other.claim_code)),
        ),
      );
    await guess(13);
    const [guesses, owner] = await Promise.all([guess(3), claim(newUser().headers, serial, code)]);
    expect(guesses.every(({ status }) => status === 429)).toBe(true);
    expect(owner.status).toBe(200);
  });

  it('each newcomer gets three tries on a device that many have tried, even in parallel', async () => {
    const { serial, claim_code: code } = await fleet.device();
    const other = await fleet.device();
    const wrong = (headers: Headers, times: number) =>
      Promise.all(Array.from({ length: times }, () => claim(headers, serial, other.claim_code)));
    for (let stranger = 0; stranger < 2; stranger += 1) await wrong(newUser().headers, 10);
    for (let newcomer = 0; newcomer < 3; newcomer += 1) {
      const answers = await wrong(newUser().headers, 6);
      expect(answers.filter(({ status }) => status === 403)).toHaveLength(3);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
    }
    const { headers } = newUser();
    await wrong(headers, 2);
    expect((await claim(headers, serial, code)).status).toBe(200);
  });

  it('one address cannot keep trying with new accounts', async () => {
    const crowd = await startBackend({ CLAIM_PROOF: 'required' });
    const serials = Array.from({ length: 320 }, (_, number) => String(900_000 + number));
    const answers = await pMap(
      serials,
      (serial) => crowd.call('/claimDevice', { headers: newUser().headers, body: { serial } }),
      {
        concurrency: 10,
      },
    );
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    await crowd.stop();
  });
});
