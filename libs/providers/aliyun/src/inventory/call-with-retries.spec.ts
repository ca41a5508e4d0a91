import { VirtualClock } from '../../../../../test/support/virtual-clock.js';
import { AccountGate } from './account-gate.js';
import { callWithRetries, type CallContext } from './call-with-retries.js';
import { CloudCallError, type CallFailure } from './cloud-call-error.js';
import { startDeadline } from './deadline.js';

const policy = { maxAttempts: 4, callTimeoutMs: 1000, firstPauseMs: 200, maxPauseMs: 1000 };

function context(clock: VirtualClock, deadlineMs = 60_000, outer?: AbortSignal): CallContext {
  const gate = new AccountGate({ concurrency: 4, callsPerSecond: 100 }, clock);
  return { gate, policy, clock, deadline: startDeadline(clock, deadlineMs, outer) };
}

const failure = (kind: CallFailure, details = {}): CloudCallError =>
  new CloudCallError(kind, 'DescribeX', kind, details);

/** Fails with the given errors one after the other, then answers; remembers when it was asked. */
function attempts(clock: VirtualClock, ...errors: readonly Error[]) {
  const asked: number[] = [];
  const attempt = (): Promise<string> => {
    asked.push(clock.now());
    const error = errors[asked.length - 1];
    return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
  };
  return { asked, attempt };
}

describe('callWithRetries', () => {
  it('asks again after growing, random pauses', async () => {
    const clock = new VirtualClock([0.5]);
    const { asked, attempt } = attempts(clock, failure('unavailable'), failure('unavailable'), failure('timeout'));

    expect(await callWithRetries('DescribeX', attempt, context(clock))).toBe('answer');
    expect(asked).toEqual([0, 100, 300, 700]);
  });

  it('waits as long as the cloud asks for', async () => {
    const clock = new VirtualClock([0]);
    const { asked, attempt } = attempts(clock, failure('throttled', { retryAfterMs: 1500 }));

    await callWithRetries('DescribeX', attempt, context(clock));

    expect(asked).toEqual([0, 1500]);
  });

  it('makes everybody of the account wait after a throttled call', async () => {
    const clock = new VirtualClock([1]);
    const shared = context(clock);
    const throttled = attempts(clock, failure('throttled'));
    const other = attempts(clock);

    const first = callWithRetries('DescribeX', throttled.attempt, shared);
    await new Promise(setImmediate);
    await callWithRetries('DescribeY', other.attempt, shared);
    await first;

    expect(other.asked).toEqual([200]);
  });

  it.each<CallFailure>(['auth', 'forbidden', 'not-found', 'bad-request', 'malformed'])(
    'does not ask again when that would change nothing: %s',
    async (kind) => {
      const clock = new VirtualClock();
      const { asked, attempt } = attempts(clock, failure(kind));

      await expect(callWithRetries('DescribeX', attempt, context(clock))).rejects.toMatchObject({ kind });
      expect(asked).toHaveLength(1);
    },
  );

  it('gives up after so many attempts, with the last failure', async () => {
    const clock = new VirtualClock();
    const { asked, attempt } = attempts(clock, ...Array.from({ length: 9 }, () => failure('unavailable')));

    await expect(callWithRetries('DescribeX', attempt, context(clock))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(asked).toHaveLength(4);
  });

  it('ends an attempt that hangs, and the whole when its time is up', async () => {
    const clock = new VirtualClock([0.5]);
    const asked: number[] = [];
    const hang = (timeoutMs: number): Promise<never> => {
      asked.push(timeoutMs);
      return new Promise(() => undefined);
    };

    await expect(callWithRetries('DescribeX', hang, context(clock, 2500))).rejects.toMatchObject({
      kind: 'timeout',
      message: 'DescribeX was not answered before the time of the look-up was up',
    });
    expect(clock.now()).toBe(2500);
    // The second attempt began at 1,100; the third, at 2,300, has only 200 left.
    expect(asked).toEqual([1000, 1000, 200]);
  });

  it('ends at once, with the reason of the caller, when the caller gives up', async () => {
    const clock = new VirtualClock();
    const caller = new AbortController();
    const call = callWithRetries(
      'DescribeX',
      () => new Promise(() => undefined),
      context(clock, 60_000, caller.signal),
    );
    caller.abort(new Error('the run was cancelled'));

    await expect(call).rejects.toThrow('the run was cancelled');
  });
});
