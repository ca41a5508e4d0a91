import { VirtualClock } from '../../../../../test/support/virtual-clock.js';
import { AccountGate, AccountGates } from './account-gate.js';

/** Passes `count` calls that each take `ms`; answers when each began. */
async function beginTimes(gate: AccountGate, clock: VirtualClock, count: number, ms: number): Promise<number[]> {
  const began: number[] = [];
  const call = async (): Promise<void> => {
    began.push(clock.now());
    await clock.sleep(ms, undefined);
  };
  await Promise.all(Array.from({ length: count }, () => gate.pass(call, undefined)));
  return began;
}

describe('AccountGate', () => {
  it('lets only so many calls run at the same time', async () => {
    const clock = new VirtualClock();
    const gate = new AccountGate({ concurrency: 2, callsPerSecond: 1000 }, clock);

    expect(await beginTimes(gate, clock, 6, 100)).toEqual([0, 0, 100, 100, 200, 200]);
  });

  it('lets only so many calls begin in a second, after a first burst', async () => {
    const clock = new VirtualClock();
    const gate = new AccountGate({ concurrency: 100, callsPerSecond: 10 }, clock);

    const began = await beginTimes(gate, clock, 30, 1);

    for (const start of began) {
      expect(began.filter((other) => other >= start && other < start + 1000).length).toBeLessThanOrEqual(20);
    }
    expect(Math.max(...began)).toBeGreaterThanOrEqual(1990);
    expect(Math.max(...began)).toBeLessThan(2200);
  });

  it('lets nobody through while it pauses', async () => {
    const clock = new VirtualClock();
    const gate = new AccountGate({ concurrency: 5, callsPerSecond: 1000 }, clock);
    gate.pauseFor(700);

    expect(await beginTimes(gate, clock, 2, 1)).toEqual([700, 700]);
  });

  it('frees its place when a call fails, and when a caller stops waiting', async () => {
    const clock = new VirtualClock();
    const gate = new AccountGate({ concurrency: 1, callsPerSecond: 1000 }, clock);
    const patience = new AbortController();
    const failing = gate.pass(async () => {
      await clock.sleep(50, undefined);
      throw new Error('broken');
    }, undefined);
    const impatient = gate.pass(() => Promise.reject(new Error('must not begin')), patience.signal);
    patience.abort(new Error('gave up'));

    await expect(impatient).rejects.toThrow('gave up');
    await expect(failing).rejects.toThrow('broken');
    expect(await gate.pass(() => Promise.resolve('through'), undefined)).toBe('through');
  });
});

describe('AccountGates', () => {
  it('is one gate for everybody who asks for the same account', () => {
    const gates = new AccountGates(new VirtualClock());
    const limits = { concurrency: 1, callsPerSecond: 1 };

    expect(gates.of('a', limits)).toBe(gates.of('a', limits));
    expect(gates.of('a', limits)).not.toBe(gates.of('b', limits));
  });
});
