import { SharedLooks } from './shared-look.js';

describe('SharedLooks', () => {
  it('looks once for callers that come together, and anew for the next', async () => {
    const looks = new SharedLooks<number>();
    let begun = 0;
    const look = async (): Promise<number> => {
      begun += 1;
      await new Promise(setImmediate);
      return begun;
    };

    expect(await Promise.all([looks.join('a', look, undefined), looks.join('a', look, undefined)])).toEqual([1, 1]);
    expect(await looks.join('a', look, undefined)).toBe(2);
    expect(await Promise.all([looks.join('a', look, undefined), looks.join('b', look, undefined)])).toEqual([4, 4]);
  });

  it('goes on for the others when one gives up, and ends when the last one has gone', async () => {
    const looks = new SharedLooks<string>();
    let seen: AbortSignal | undefined;
    const look = (signal: AbortSignal): Promise<string> => {
      seen = signal;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const [a, b] = [looks.join('x', look, first.signal), looks.join('x', look, second.signal)];

    first.abort(new Error('the first gave up'));
    await expect(a).rejects.toThrow('the first gave up');
    expect(seen?.aborted).toBe(false);
    second.abort(new Error('the second gave up'));
    await expect(b).rejects.toThrow('the second gave up');
    expect(seen?.aborted).toBe(true);
  });
});
