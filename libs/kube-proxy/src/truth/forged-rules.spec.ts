import { NetNamespace } from '#libs/netstack';
import { findForgeries, forgeOf } from '../../../../test/dumps/find-forgeries.js';
import { readLabCase } from '../../../../test/dumps/lab-case.js';
import { KubeProxy } from '../kube-proxy.js';

/** `npm run dumps:forge` does the same with 1,000 and 10,000 services. */
describe.each([
  { kind: 'iptables', mode: 'iptables-nft' },
  { kind: 'nftables', mode: 'nftables' },
] as const)('the rules of a small cluster, mode $mode', ({ kind, mode }) => {
  const { cluster, dump } = readLabCase(kind);

  it('are as the objects imply', () => {
    const proxy = new KubeProxy(cluster).on(new NetNamespace(dump));

    expect(proxy.mode).toBe(kind);
    expect(proxy.checkAll()).toEqual({ findings: [], skipped: [] });
  });

  it('are found and named, whichever is removed or changed, and no other service is blamed', () => {
    const { forged, missed, innocent } = findForgeries(forgeOf(dump, mode, cluster, 1), cluster, 1, 12);

    expect(missed).toEqual([]);
    expect(innocent).toEqual([]);
    expect(forged).toBeGreaterThan(150);
  });
});
