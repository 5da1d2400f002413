import { realTime, StuckError, seededRandom, sleep, VirtualTime } from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('virtual time', () => {
  it('runs events by due time, and simultaneous ones in the order they were scheduled', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 50 }), { maxLength: 30 }), async (delays) => {
        const time = new VirtualTime();
        const seen: { readonly at: number; readonly index: number }[] = [];
        for (const [index, ms] of delays.entries()) time.after(ms, () => seen.push({ at: time.now(), index }));
        await time.advance(100);
        const expected = delays.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at || a.index - b.index);
        expect(seen).toEqual(expected);
        expect(time.now()).toBe(100);
      }),
    );
  });

  it('does not run cancelled events', async () => {
    const time = new VirtualTime();
    let runs = 0;
    const timer = time.after(10, () => {
      runs += 1;
    });
    timer.cancel();
    timer.cancel();
    await time.advance(20);
    expect(runs).toBe(0);
  });

  it('lets a year pass in a moment', async () => {
    const time = new VirtualTime();
    const year = 365 * 24 * 60 * 60 * 1000;
    await time.run(() => sleep(time, year));
    expect(time.now()).toBe(year);
  });

  it('stops while real work runs', async () => {
    const time = new VirtualTime();
    let ticks = 0;
    const tick = (): unknown =>
      time.after(10, () => {
        ticks += 1;
        tick();
      });
    tick();
    await time.run(() => time.outside(() => sleep(realTime, 5)));
    expect([ticks, time.now()]).toEqual([0, 0]);
    await time.run(async () => {
      await sleep(time, 35);
      await time.outside(async () => {});
    });
    expect(ticks).toBe(3);
  });

  it('fails if the work waits for something that never happens', async () => {
    await expect(new VirtualTime().run(() => new Promise(() => {}))).rejects.toBeInstanceOf(StuckError);
  });

  it('passes on what the work throws, at once and later', async () => {
    const time = new VirtualTime();
    await expect(time.run(() => Promise.reject(new Error('at once')))).rejects.toThrow('at once');
    const later = time.run(async () => {
      await sleep(time, 10);
      throw new Error('later');
    });
    await expect(later).rejects.toThrow('later');
  });
});

describe('a wait', () => {
  it('rejects with the abort reason, before or during the wait', async () => {
    const time = new VirtualTime();
    await expect(sleep(time, 10, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    const controller = new AbortController();
    time.after(5, () => controller.abort(new Error('meanwhile')));
    await expect(time.run(() => sleep(time, 10, controller.signal))).rejects.toThrow('meanwhile');
    expect(time.now()).toBe(5);
  });
});

describe('chances', () => {
  it('are the same with the same seed', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(draw(3).every((one) => one >= 0 && one < 1)).toBe(true);
  });

  it('happen as often as they should, never at 0 and always at 1', () => {
    const random = seededRandom(1);
    const share = (probability: number) =>
      Array.from({ length: 4_000 }, () => random.happens(probability)).filter(Boolean).length / 4_000;
    expect([share(0), share(1)]).toEqual([0, 1]);
    expect(Math.abs(share(0.3) - 0.3)).toBeLessThan(0.05);
  });

  it('pick by weight, and fail without choices', () => {
    const random = seededRandom(1);
    const choices = [
      { value: 'often', weight: 9 },
      { value: 'seldom', weight: 1 },
      { value: 'never', weight: 0 },
    ];
    const picked = Array.from({ length: 2_000 }, () => random.pick(choices));
    expect(picked.filter((one) => one === 'seldom').length).toBeGreaterThan(100);
    expect(picked.filter((one) => one === 'often').length).toBeGreaterThan(1_600);
    expect(picked).not.toContain('never');
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
