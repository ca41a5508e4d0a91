import { formatIp, type Family, type Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import { readIptablesRule } from './iptables-rule.js';
import type { ProxyPacket, ProxyRule, RuleSource } from './rule.js';

/** Long chains of kube-proxy: one rule per entry, asked for by address, protocol and port. */
const INDEXED = new Set(['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL']);

/** The parts of a compiled rule set that are needed: chains with the text of their rules. */
interface SavedTable {
  readonly chains: ReadonlyMap<string, SavedChain>;
}

interface SavedChain {
  readonly rules: readonly { readonly position: number; readonly text: string }[];
}

/** One table of one iptables back end; chains are read when they are asked for, long ones are indexed once. */
export class IptablesTable implements RuleSource {
  private readonly read = new Map<string, readonly ProxyRule[]>();
  private readonly indexes = new Map<string, ChainIndex>();

  constructor(
    private readonly name: string,
    private readonly table: SavedTable,
  ) {}

  has(chain: string): boolean {
    return this.table.chains.has(chain);
  }

  chainNames(): Iterable<string> {
    return this.table.chains.keys();
  }

  ruleCount(chain: string): number {
    return this.table.chains.get(chain)?.rules.length ?? 0;
  }

  /** All rules of a chain. */
  all(chain: string): readonly ProxyRule[] | undefined {
    const known = this.read.get(chain);
    if (known !== undefined) return known;
    const saved = this.table.chains.get(chain);
    if (saved === undefined) return undefined;
    const rules = saved.rules.map(({ position, text }) => readIptablesRule(this.name, chain, position, text));
    this.read.set(chain, rules);
    return rules;
  }

  rules(chain: string, packet: ProxyPacket): readonly ProxyRule[] | undefined {
    return INDEXED.has(chain) ? this.index(chain)?.candidates(packet) : this.all(chain);
  }

  element(): undefined {
    return undefined;
  }

  /** Keys of a chain's rules for one address and port: `10.96.0.10 6 80`, `* 6 30080` where no address is asked. */
  keysOf(chain: string): ReadonlyMap<string, readonly ProxyRule[]> {
    return this.index(chain)?.byKey ?? new Map<string, readonly ProxyRule[]>();
  }

  private index(chain: string): ChainIndex | undefined {
    const known = this.indexes.get(chain);
    if (known !== undefined) return known;
    const rules = this.all(chain);
    if (rules === undefined) return undefined;
    const index = new ChainIndex(rules);
    this.indexes.set(chain, index);
    return index;
  }
}

class ChainIndex {
  readonly byKey = new Map<string, ProxyRule[]>();
  private readonly rest: ProxyRule[] = [];
  private readonly order = new Map<ProxyRule, number>();

  constructor(rules: readonly ProxyRule[]) {
    for (const [at, rule] of rules.entries()) {
      this.order.set(rule, at);
      const key = keyOfRule(rule);
      if (key === undefined) this.rest.push(rule);
      else {
        const list = this.byKey.get(key);
        if (list === undefined) this.byKey.set(key, [rule]);
        else list.push(rule);
      }
    }
  }

  candidates({ dst, protocol, dport }: ProxyPacket): readonly ProxyRule[] {
    const exact = this.byKey.get(entryKey(dst, protocol, dport)) ?? [];
    const anyAddress = this.byKey.get(entryKey(undefined, protocol, dport)) ?? [];
    const found = [...exact, ...anyAddress, ...this.rest];
    return found.toSorted((a, b) => (this.order.get(a) ?? 0) - (this.order.get(b) ?? 0));
  }
}

export function entryKey(ip: Ip | undefined, protocol: number, port: number): string {
  return `${ip === undefined ? '*' : formatIp(ip)} ${protocol} ${port}`;
}

function keyOfRule({ tests }: ProxyRule): string | undefined {
  let ip: Ip | undefined;
  let protocol: number | undefined;
  let port: number | undefined;
  for (const test of tests) {
    if (test.kind === 'destination') {
      const [net] = test.nets;
      if (test.invert || net === undefined) return undefined;
      const isHost = net.length === (typeof net.net === 'number' ? 32 : 128);
      // A network (127.0.0.0/8 before node ports) narrows the rule; it is found by its port.
      if (isHost) ip = net.net;
    } else if (test.kind === 'protocol' && !test.invert) protocol = test.value;
    else if (test.kind === 'dport' && !test.invert) port = test.value;
  }
  return protocol === undefined || port === undefined ? undefined : entryKey(ip, protocol, port);
}

/** Tables of one family and back end that hold rules of kube-proxy. */
export interface IptablesRules {
  readonly backend: 'nft' | 'legacy';
  readonly nat: IptablesTable;
  readonly filter?: IptablesTable;
}

/** Back ends whose nat table has kube-proxy's chain, also an empty one: more than one with rules is a finding of its own. */
export function iptablesRules(ns: NetNamespace, family: Family): IptablesRules[] {
  return ns.iptables(family).flatMap((ruleset): IptablesRules[] => {
    const nat = ruleset?.tables.get('nat');
    if (ruleset === undefined || nat?.chains.has('KUBE-SERVICES') !== true) return [];
    const filter = ruleset.tables.get('filter');
    return [
      {
        backend: ruleset.backend,
        nat: new IptablesTable('nat', nat),
        filter: filter === undefined ? undefined : new IptablesTable('filter', filter),
      },
    ];
  });
}
