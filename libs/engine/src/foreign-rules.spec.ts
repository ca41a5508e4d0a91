import type { Hop, Step } from '#libs/model';
import { foreignRules } from './foreign-rules.js';

const NODE = { kind: 'node', name: 'node1' };

function hop(kind: Step['kind'], text: string, locator: string, rule: string): Hop {
  return { at: NODE, steps: [{ kind, text, evidence: { kind: 'rule', at: NODE, locator, text: rule } }] };
}

function found(...hops: readonly Hop[]): (readonly [string, string | undefined])[] {
  return foreignRules({ forward: { hops, disposition: 'accepted' } }, 4).map(({ code, remedy }) => [code, remedy]);
}

describe('foreignRules', () => {
  it('names a rule by hand that translates, with the command that removes it', () => {
    const rule = '-A PREROUTING -d 10.96.10.2/32 -j DNAT --to-destination 10.0.0.9';

    expect(found(hop('translate', 'DNAT to 10.0.0.9:80', 'nat/PREROUTING/1', rule))).toEqual([
      ['FOREIGN_RULE', `Remove the rule if it is not wanted: iptables -t nat ${rule.replace('-A', '-D')}`],
    ]);
    expect(found(hop('translate', 'DNAT to 10.0.0.9:80', 'ip lab/base/7', 'dnat to 10.0.0.9'))).toEqual([
      ['FOREIGN_RULE', 'Remove the rule if it is not wanted: nft delete rule ip lab base handle 7'],
    ]);
  });

  it('names what keeps packets from being tracked', () => {
    const untracked = hop('filter', 'PREROUTING: not tracked', 'raw/PREROUTING/1', '-A PREROUTING -j NOTRACK');

    expect(found(untracked, untracked).map(([code]) => code)).toEqual(['CONNTRACK_NOTRACK']);
  });

  it.each([
    { locator: 'nat/KUBE-SEP-X/2', rule: '-A KUBE-SEP-X -j DNAT' },
    { locator: 'ip kube-proxy/endpoint-X/9', rule: 'dnat to 10.0.0.9' },
    { locator: 'raw/cali-PREROUTING/3', rule: '-A cali-PREROUTING -j NOTRACK' },
    { locator: 'nat/POSTROUTING/4', rule: '-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE' },
  ])('leaves $locator to the component that writes it', ({ locator, rule }) => {
    expect(found(hop('translate', 'DNAT', locator, rule))).toEqual([]);
  });

  it('says nothing of filters, nor of what did not happen', () => {
    const filter = hop('filter', 'FORWARD: accepted', 'filter/FORWARD/1', '-A FORWARD -j ACCEPT');
    const past: Hop = { ...hop('translate', 'DNAT', 'nat/PREROUTING/1', '-A PREROUTING -j DNAT'), hypothetical: true };

    expect(found(filter, past)).toEqual([]);
  });
});
