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
  /** The handle of the chain; its rule has 2. */
  readonly chain?: number;
}

/** Tables with one nat chain each; `listed` is the handle of iptables-nft's table where the dump lists it. */
function nft(natives: readonly Native[], listed?: number, chains: Readonly<Record<string, number>> = {}): string {
  const tables = natives.flatMap(({ handle, to, priority = -100, chain = 1 }) => {
    const at = { family: 'ip', table: `t${handle}` };
    return [
      { table: { family: 'ip', name: at.table, handle } },
      {
        chain: { ...at, name: 'pre', handle: chain, type: 'nat', hook: 'prerouting', prio: priority, policy: 'accept' },
      },
      { rule: { ...at, chain: 'pre', handle: 2, expr: [{ dnat: { addr: to } }] } },
    ];
  });
  const own = listed === undefined ? [] : [{ table: { family: 'ip', name: 'nat', handle: listed } }];
  const listing = Object.entries(chains).map(([name, handle]) => ({
    chain: { family: 'ip', table: 'nat', name, handle },
  }));
  return JSON.stringify({ nftables: [...tables, ...own, ...listing] });
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
    { title: 'an older native table', nft: nft([{ handle: 3, to: '10.0.0.2' }], 5), to: '10.0.0.1:80' },
    { title: 'the first native table of all', nft: nft([{ handle: 1, to: '10.0.0.2' }]), to: '10.0.0.1:80' },
    {
      title: 'a younger native table, and a chain of iptables-nft that came with its own',
      nft: nft([{ handle: 5, to: '10.0.0.2' }], 3, { FIRST: 1, PREROUTING: 2 }),
      to: '10.0.0.2:80',
    },
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
    {
      // iptables-nft makes PREROUTING when its first rule comes, which may be after the younger table.
      title: 'iptables-nft in an older table',
      sketch: { iptables: IPTABLES, nft: nft([{ handle: 5, to: '10.0.0.2' }], 3) },
    },
    {
      title: 'a chain of iptables-nft that came after a rule',
      sketch: { iptables: IPTABLES, nft: nft([{ handle: 5, to: '10.0.0.2' }], 3, { POSTROUTING: 1, PREROUTING: 3 }) },
    },
    {
      title: 'a native chain that was added to an older table later',
      sketch: {
        iptables: '',
        nft: nft([
          { handle: 1, to: '10.0.0.1', chain: 7 },
          { handle: 2, to: '10.0.0.2' },
        ]),
      },
    },
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

describe('filter chains of equal priority', () => {
  const drops = '*filter\n:FORWARD DROP [0:0]\nCOMMIT\n';
  const forward = (rule: object): string => {
    const at = { family: 'ip', table: 'proxy' };
    return JSON.stringify({
      nftables: [
        { table: { family: 'ip', name: at.table, handle: 1 } },
        { chain: { ...at, name: 'fwd', handle: 1, type: 'filter', hook: 'forward', prio: 0, policy: 'accept' } },
        { rule: { ...at, chain: 'fwd', handle: 2, expr: [rule] } },
      ],
    });
  };
  const stop = (nftRule: object, answer = true): { stops: readonly string[]; guesses: readonly string[] } => {
    const chooser = new NotingChooser(0, answer);
    const log = new NamespaceLog(
      sketchNamespace({ links: LINKS, iptablesLegacy: drops, nft: forward(nftRule) }),
      chooser,
    );
    log.hook('FORWARD', tcp('10.9.0.2:40000 > 10.8.0.9:80'), 'eth0', 'eth0');
    return { stops: log.obstacles.map(({ facts }) => facts.code), guesses: chooser.guesses };
  };

  it('are both tried when one drops what the other rejects', () => {
    const reject = { reject: { type: 'icmp', expr: 'port-unreachable' } };

    expect(stop(reject, true).stops).toEqual(['FILTER_REJECT', 'CHAIN_POLICY_DROP']);
    expect(stop(reject, false).stops).toEqual(['CHAIN_POLICY_DROP', 'FILTER_REJECT']);
    expect(stop(reject).guesses).toEqual([expect.stringContaining('stops packets before')]);
  });

  it.each([{ drop: null }, { accept: null }])('are not asked about when the order is all the same: %j', (rule) => {
    expect(stop(rule).guesses).toEqual([]);
  });
});
