import type { Family } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import { evaluate, Sightings, type Leaf } from './evaluate.js';
import { iptablesRules, type IptablesRules, type IptablesTable } from './iptables.js';
import { nftablesTable, type NftablesTable } from './nftables.js';
import type { ProxyPacket, ProxyRule, RuleSource } from './rule.js';

/** What kube-proxy has programmed on one node for one family, whatever the mode. ipvs has a room of its own. */
export interface ProxyRules {
  readonly mode: 'iptables' | 'nftables';
  readonly backend?: 'nft' | 'legacy';
  /** Destination NAT starts in `start`. */
  readonly nat: RuleSource;
  readonly start: string;
  readonly masquerading: string;
  /** The mark that asks for masquerade, as the masquerading chain looks for it. */
  readonly markBit: number;
  /** Drops before NAT (source ranges in nftables mode). */
  before(packet: ProxyPacket, seen: Sightings): Leaf | undefined;
  /** Refusals of what was not translated, in the order in which they are asked. */
  after(packet: ProxyPacket, seen: Sightings): readonly Leaf[];
  /** Endpoints that may talk to themselves, where a set says so; undefined where each endpoint chain does. */
  readonly hairpins?: ReadonlySet<string>;
  /** Every programmed entry, `10.96.0.10 6 80` or `* 6 30080`, with its first rule. */
  entries(): ReadonlyMap<string, ProxyRule>;
  /** Where an entry would be: for evidence of what is not there. */
  readonly entryPlace: {
    readonly services: string;
    readonly nodePorts: string;
    readonly refusals: {
      readonly clusterIP: string;
      readonly external: string;
      readonly nodePort: string;
      readonly sourceRanges: string;
    };
  };
  /** Locator of the chain that guards an entry by source, where it is apart from the way to the endpoints. */
  firewall(key: string): string | undefined;
  all(chain: string): readonly ProxyRule[] | undefined;
  chainLocator(chain: string): string;
  readonly tables: readonly (IptablesTable | NftablesTable)[];
}

const DEFAULT_BIT = 1 << 14;

export function readProxyRules(ns: NetNamespace, family: Family): ProxyRules[] {
  const nft = nftablesTable(ns, family);
  return [...(nft === undefined ? [] : [ofNftables(nft, family)]), ...iptablesRules(ns, family).map(ofIptables)];
}

function ofIptables({ backend, nat, filter }: IptablesRules): ProxyRules {
  const markBit = markBitOf(nat.all('KUBE-POSTROUTING')) ?? DEFAULT_BIT;
  const refusals = ['KUBE-PROXY-FIREWALL', 'KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES'];
  let entries: ReadonlyMap<string, ProxyRule> | undefined;
  return {
    mode: 'iptables',
    backend,
    nat,
    start: 'KUBE-SERVICES',
    masquerading: 'KUBE-POSTROUTING',
    markBit,
    before: () => undefined,
    after: (packet, seen) => (filter === undefined ? [] : refusing(filter, refusals, packet, markBit, seen)),
    entries: () =>
      (entries ??= firsts([
        nat.keysOf('KUBE-SERVICES'),
        nat.keysOf('KUBE-NODEPORTS'),
        ...(filter === undefined ? [] : refusals.map((chain) => filter.keysOf(chain))),
      ])),
    entryPlace: {
      services: 'nat/KUBE-SERVICES',
      nodePorts: 'nat/KUBE-NODEPORTS',
      refusals: {
        clusterIP: 'filter/KUBE-SERVICES',
        external: 'filter/KUBE-EXTERNAL-SERVICES',
        nodePort: 'filter/KUBE-EXTERNAL-SERVICES',
        sourceRanges: 'filter/KUBE-PROXY-FIREWALL',
      },
    },
    firewall: () => undefined,
    all: (chain) => nat.all(chain),
    chainLocator: (chain) => `nat/${chain}`,
    tables: filter === undefined ? [nat] : [nat, filter],
  };
}

function ofNftables(table: NftablesTable, family: Family): ProxyRules {
  const markBit = markBitOf(table.all('masquerading')) ?? DEFAULT_BIT;
  const name = family === 4 ? 'ip' : 'ip6';
  const maps = ['service-ips', 'service-nodeports', 'no-endpoint-services', 'no-endpoint-nodeports'];
  return {
    mode: 'nftables',
    nat: table,
    start: 'services',
    masquerading: 'masquerading',
    markBit,
    before: (packet, seen) => refusing(table, ['firewall-check'], packet, markBit, seen)[0],
    after: (packet, seen) =>
      refusing(table, ['nodeport-endpoints-check', 'service-endpoints-check'], packet, markBit, seen),
    hairpins: table.hasSet('hairpin-connections') ? table.members('hairpin-connections') : undefined,
    entries: () => new Map(maps.toReversed().flatMap((map): [string, ProxyRule][] => [...table.elements(map)])),
    entryPlace: {
      services: `${name} kube-proxy/@service-ips`,
      nodePorts: `${name} kube-proxy/@service-nodeports`,
      refusals: {
        clusterIP: `${name} kube-proxy/@no-endpoint-services`,
        external: `${name} kube-proxy/@no-endpoint-services`,
        nodePort: `${name} kube-proxy/@no-endpoint-nodeports`,
        sourceRanges: `${name} kube-proxy/@firewall-ips`,
      },
    },
    firewall: (key) => {
      for (const action of table.element('firewall-ips', key)?.actions ?? [])
        if (action.kind === 'call') return `${name} kube-proxy/${action.chain}`;
      return undefined;
    },
    all: (chain) => table.all(chain),
    chainLocator: (chain) => `${name} kube-proxy/${chain}`,
    tables: [table],
  };
}

function firsts(maps: readonly ReadonlyMap<string, readonly ProxyRule[]>[]): ReadonlyMap<string, ProxyRule> {
  const found = new Map<string, ProxyRule>();
  for (const map of maps)
    for (const [key, [rule]] of map) if (rule !== undefined && !found.has(key)) found.set(key, rule);
  return found;
}

function refusing(
  source: RuleSource,
  chains: readonly string[],
  packet: ProxyPacket,
  markBit: number,
  seen: Sightings,
): Leaf[] {
  return chains.flatMap((chain) =>
    evaluate(source, chain, packet, markBit, seen)
      .leaves.filter(({ kind }) => kind !== 'accept')
      .slice(0, 1),
  );
}

/** The bit that the masquerading chain asks for: `-m mark ! --mark 0x4000/0x4000 -j RETURN`, `meta mark & 0x4000 != 0`. */
function markBitOf(rules: readonly ProxyRule[] | undefined): number | undefined {
  for (const { tests } of rules ?? [])
    for (const test of tests) if (test.kind === 'mark') return test.value === 0 ? test.mask : test.value;
  return undefined;
}
