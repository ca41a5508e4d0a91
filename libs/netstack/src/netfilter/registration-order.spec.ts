import { formatSocket } from '#libs/model';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { NamespaceLog } from '../../../../test/fixtures/namespace-log.js';
import { sketchNamespace, type NamespaceSketch } from '../../../../test/fixtures/namespace-sketch.js';
import { tcp } from '../../../../test/fixtures/packets.js';

const IPTABLES = '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1\nCOMMIT\n';
const LINKS: NamespaceSketch['links'] = [{ name: 'eth0', addresses: ['10.9.0.1/24'] }];

interface Native {
  readonly handle: number;
  readonly to: string;
  readonly priority?: number;
}

/** Tables with one nat chain each; `listed` is the handle of iptables-nft's table where the dump lists it. */
function nft(natives: readonly Native[], listed?: number): string {
  const tables = natives.flatMap(({ handle, to, priority = -100 }) => {
    const at = { family: 'ip', table: `t${handle}` };
    return [
      { table: { family: 'ip', name: at.table, handle } },
      { chain: { ...at, name: 'pre', handle: 1, type: 'nat', hook: 'prerouting', prio: priority, policy: 'accept' } },
      { rule: { ...at, chain: 'pre', handle: 2, expr: [{ dnat: { addr: to } }] } },
    ];
  });
  const own = listed === undefined ? [] : [{ table: { family: 'ip', name: 'nat', handle: listed } }];
  return JSON.stringify({ nftables: [...tables, ...own] });
}

function translate(sketch: NamespaceSketch, answer = true): { to: string; guesses: readonly string[] } {
  const chooser = new NotingChooser(0, answer);
  const skb = new NamespaceLog(sketchNamespace({ links: LINKS, ...sketch }), chooser).hook(
    'PREROUTING',
    tcp('10.9.0.2:40000 > 10.9.0.9:80'),
    'eth0',
  );
  return { to: formatSocket(skb.dst, skb.dport), guesses: chooser.guesses };
}

describe('nat chains of equal priority', () => {
  it.each([
    { title: 'a younger native table', nft: nft([{ handle: 5, to: '10.0.0.2' }], 3), to: '10.0.0.2:80' },
    { title: 'an older native table', nft: nft([{ handle: 3, to: '10.0.0.2' }], 5), to: '10.0.0.1:80' },
    { title: 'the first native table of all', nft: nft([{ handle: 1, to: '10.0.0.2' }]), to: '10.0.0.1:80' },
    {
      title: 'native tables only',
      iptables: '',
      nft: nft([
        { handle: 1, to: '10.0.0.2' },
        { handle: 2, to: '10.0.0.3' },
      ]),
      to: '10.0.0.3:80',
    },
    {
      title: 'another priority, whatever the handle',
      nft: nft([{ handle: 9, to: '10.0.0.2', priority: -99 }], 3),
      to: '10.0.0.1:80',
    },
  ])('run the younger first: $title', ({ iptables = IPTABLES, nft: text, to }) => {
    expect(translate({ iptables, nft: text })).toEqual({ to, guesses: [] });
  });

  it.each([
    { title: 'iptables-nft not listed', sketch: { iptables: IPTABLES, nft: nft([{ handle: 4, to: '10.0.0.2' }]) } },
    { title: 'legacy', sketch: { iptablesLegacy: IPTABLES, nft: nft([{ handle: 4, to: '10.0.0.2' }]) } },
  ])('are both tried when nothing tells which is younger: $title', ({ sketch }) => {
    const [first, second] = [translate(sketch, true), translate(sketch, false)];

    expect([first.to, second.to]).toEqual(['10.0.0.2:80', '10.0.0.1:80']);
    expect(first.guesses).toEqual([expect.stringContaining('translates before')]);
  });

  it('are not asked about when only one of them decides', () => {
    const iptables = IPTABLES.replace('-p tcp', '-p udp');

    expect(translate({ iptables, nft: nft([{ handle: 4, to: '10.0.0.2' }]) })).toEqual({
      to: '10.0.0.2:80',
      guesses: [],
    });
  });
});
