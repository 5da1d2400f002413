import { describe, expect, it } from 'vitest';
import { CircuitOpenError, createCircuitBreaker } from '../../../src/platform/resilience/circuit-breaker.ts';

const always = () => true;
const fail = () => Promise.reject(new Error('down'));
const work = () => Promise.resolve('done');

function breaker() {
  let now = 0;
  let opened = 0;
  const circuit = createCircuitBreaker({ failuresToOpen: 3, openMs: 1_000 }, { now: () => now }, () => {
    opened += 1;
  });
  return {
    run: circuit.run,
    opened: () => opened,
    forward: (ms: number) => {
      now += ms;
    },
    async break() {
      for (let i = 0; i < 3; i += 1) await expect(circuit.run(always, fail)).rejects.toThrow('down');
    },
  };
}

describe('a circuit breaker', () => {
  it('opens after several consecutive failures, and then runs nothing', async () => {
    const circuit = breaker();
    await circuit.break();
    let ran = false;
    const attempt = circuit.run(always, async () => {
      ran = true;
    });
    await expect(attempt).rejects.toBeInstanceOf(CircuitOpenError);
    expect(ran).toBe(false);
    expect(circuit.opened()).toBe(1);
  });

  it('reports when to retry', async () => {
    const circuit = breaker();
    await circuit.break();
    circuit.forward(400);
    await expect(circuit.run(always, work)).rejects.toMatchObject({ retryAfterMs: 600 });
  });

  it('counts only consecutive failures', async () => {
    const circuit = breaker();
    for (let i = 0; i < 5; i += 1) {
      await expect(circuit.run(always, fail)).rejects.toThrow('down');
      await expect(circuit.run(always, fail)).rejects.toThrow('down');
      await expect(circuit.run(always, work)).resolves.toBe('done');
    }
    expect(circuit.opened()).toBe(0);
  });

  it('treats a refusal as a sign of life', async () => {
    const circuit = breaker();
    for (let i = 0; i < 5; i += 1) await expect(circuit.run(() => false, fail)).rejects.toThrow('down');
    await expect(circuit.run(always, work)).resolves.toBe('done');
  });

  it('lets one probe through after a while, and closes when it succeeds', async () => {
    const circuit = breaker();
    await circuit.break();
    circuit.forward(1_000);
    let answer = (_text: string) => {};
    const probe = circuit.run(always, () => new Promise<string>((resolve) => (answer = resolve)));
    await expect(circuit.run(always, work)).rejects.toBeInstanceOf(CircuitOpenError);
    answer('back');
    await expect(probe).resolves.toBe('back');
    await expect(Promise.all([circuit.run(always, work), circuit.run(always, work)])).resolves.toEqual([
      'done',
      'done',
    ]);
  });

  it('reopens at once when the probe fails', async () => {
    const circuit = breaker();
    await circuit.break();
    circuit.forward(1_000);
    await expect(circuit.run(always, fail)).rejects.toThrow('down');
    await expect(circuit.run(always, work)).rejects.toBeInstanceOf(CircuitOpenError);
    circuit.forward(1_000);
    await expect(circuit.run(always, work)).resolves.toBe('done');
  });

  it('is not closed by a call started before it opened', async () => {
    const circuit = breaker();
    let answer = (_text: string) => {};
    const early = circuit.run(always, () => new Promise<string>((resolve) => (answer = resolve)));
    await circuit.break();
    answer('late');
    await expect(early).resolves.toBe('late');
    await expect(circuit.run(always, work)).rejects.toBeInstanceOf(CircuitOpenError);
  });
});
