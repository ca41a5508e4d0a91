import { z } from 'zod';
import { VirtualClock } from '../../../../../test/support/virtual-clock.js';
import { AccountGate } from './account-gate.js';
import { CloudApi, LazySdk } from './cloud-api.js';
import { CredentialSource } from './credential-source.js';
import { startDeadline } from './deadline.js';

describe('LazySdk', () => {
  it('says what to do when the SDK is not installed, and tries again with the next call', async () => {
    const clock = new VirtualClock();
    let tried = 0;
    const sdk = new LazySdk(() => {
      tried += 1;
      return Promise.reject(Object.assign(new Error('Cannot find package /srv/x'), { code: 'ERR_MODULE_NOT_FOUND' }));
    });
    const credentials = new CredentialSource(() => Promise.reject(new Error('not asked')));
    const api = new CloudApi(sdk, credentials, {
      gate: new AccountGate({ concurrency: 1, callsPerSecond: 10 }, clock),
      policy: { maxAttempts: 3, callTimeoutMs: 1000, firstPauseMs: 1, maxPauseMs: 1 },
      clock,
      deadline: startDeadline(clock, 5000, undefined),
    });

    for (const _ of [1, 2]) {
      await expect(api.call('DescribeVpcs', {}, z.unknown())).rejects.toThrow(
        "Alibaba Cloud's SDK could not be loaded (ERR_MODULE_NOT_FOUND); are the packages @alicloud/* installed?",
      );
    }
    expect(tried).toBe(2);
  });
});
