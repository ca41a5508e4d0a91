import { checkedOverrides } from './overrides.js';

describe('checkedOverrides', () => {
  it('keeps what is told, and takes auto for nothing', () => {
    const told = { networkPlugin: 'calico', proxyMode: 'ipvs', clusterCidr: ['10.0.0.0/8', 'fd00::/48'] };

    expect(checkedOverrides(told)).toEqual(told);
    expect(checkedOverrides({ networkPlugin: 'auto', proxyMode: 'auto' })).toEqual({});
  });

  it('names everything that it does not understand, with what there is', () => {
    const check = () => checkedOverrides({ proxyMode: 'ebpf', clusterCidr: ['10.244/16', '10.0.0.0/8'] });

    expect(check).toThrow(
      'proxy mode "ebpf" is not known; there are: iptables, ipvs, nftables, auto; cluster CIDR "10.244/16" is no network',
    );
  });
});
