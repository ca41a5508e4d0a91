import { ADDRESSES, compareAll } from './agreement.js';
import { kubeProxyRules } from '../test/fixtures/kube-proxy-rules.js';

describe('the indexed walk and the linear one', () => {
  it('agree on 50,000 random packets', () => {
    expect(compareAll(50_000, 7, kubeProxyRules(20), ADDRESSES)).toEqual([]);
  });
});
