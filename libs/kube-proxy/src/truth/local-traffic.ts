import type { ClusterIndex, NodeObject } from '#libs/cluster';
import { cidrContains, formatCidr, ipv4, ipv6, type Cidr, type Family, type Ip } from '#libs/model';
import type { ProxyRules } from '../programmed/proxy-rules.js';
import type { ProxyRule, Test } from '../programmed/rule.js';

/**
 * How the rules of a node tell its own pods from others (kube-proxy's detectLocalMode). Read from the rules themselves: what most
 * services have is what kube-proxy was told, and a service that differs is the finding.
 */
export interface LocalTraffic {
  readonly kind: 'network' | 'interface' | 'all' | 'none';
  readonly nets: readonly Cidr[];
  /** For people: `10.244.0.0/16`, `veth+`. */
  readonly text: string;
  /** A rule that says so. */
  readonly rule?: ProxyRule;
}

/** More tell nothing new. */
const SAMPLE = 200;

/** `pools`: the chains that packets to cluster addresses enter. */
export function localTraffic(rules: ProxyRules, pools: Iterable<string>): LocalTraffic {
  const votes = new Map<string, { readonly seen: LocalTraffic; count: number }>();
  const vote = (seen: LocalTraffic): void => {
    const known = votes.get(`${seen.kind} ${seen.text}`);
    if (known === undefined) votes.set(`${seen.kind} ${seen.text}`, { seen, count: 1 });
    else known.count++;
  };
  // Since 1.35 the nftables mode asks once for all services, before the map.
  const shared = masqueradeRule(rules, rules.mode === 'nftables' ? rules.all(rules.start) : undefined);
  if (shared !== undefined) return ofTests(shared);
  let left = SAMPLE;
  for (const chain of pools) {
    if (left-- <= 0) break;
    const rule = masqueradeRule(rules, rules.all(chain));
    vote(rule === undefined ? NONE : ofTests(rule));
  }
  let best: { readonly seen: LocalTraffic; readonly count: number } | undefined;
  for (const one of votes.values()) if (best === undefined || one.count > best.count) best = one;
  return best?.seen ?? NONE;
}

const NONE: LocalTraffic = { kind: 'none', nets: [], text: 'no rule' };

/** The rule of a chain that marks packets for masquerade, if it has one. */
function masqueradeRule(rules: ProxyRules, chain: readonly ProxyRule[] | undefined): ProxyRule | undefined {
  return chain?.find((rule) => isMarkRule(rules, rule));
}

export function isMarkRule(rules: ProxyRules, { actions }: ProxyRule): boolean {
  return actions.some(
    (action) =>
      action.kind === 'set-mark' || (action.kind === 'call' && isMarkChain(action.chain, rules.all(action.chain))),
  );
}

/** A chain that sets the mark, or that has the name of the one that should. */
function isMarkChain(name: string, rules: readonly ProxyRule[] | undefined): boolean {
  return (
    name === 'KUBE-MARK-MASQ' ||
    name === 'mark-for-masquerade' ||
    (rules ?? []).some(({ actions }) => actions.some(({ kind }) => kind === 'set-mark'))
  );
}

function ofTests(rule: ProxyRule): LocalTraffic {
  const isNotLocal = (test: Test): boolean => 'invert' in test && test.invert;
  for (const test of rule.tests) {
    if (!isNotLocal(test)) continue;
    if (test.kind === 'source')
      return { kind: 'network', nets: test.nets, text: test.nets.map(formatCidr).join(','), rule };
    if (test.kind === 'iif') return { kind: 'interface', nets: [], text: test.name, rule };
  }
  return { kind: 'all', nets: [], text: 'every source', rule };
}

/** An address that stands for a pod of the node which is no endpoint: high in its pod network, or in what the rules take as one. */
export function podAddress(
  node: NodeObject | undefined,
  cluster: ClusterIndex,
  local: LocalTraffic,
  family: Family,
): Ip | undefined {
  const own = (node?.podCidrs ?? []).find((cidr) => isOf(cidr, family));
  const inside = (ip: Ip): boolean => local.kind !== 'network' || local.nets.some((net) => cidrContains(net, ip));
  const candidates = [own, ...local.nets, ...cluster.podCidrs].flatMap((cidr) =>
    cidr !== undefined && isOf(cidr, family) ? [lastBut(cidr, 1)] : [],
  );
  return candidates.find(inside);
}

function isOf({ net }: Cidr, family: Family): boolean {
  return (typeof net === 'number' ? 4 : 6) === family;
}

function lastBut({ net, length }: Cidr, back: number): Ip {
  if (typeof net === 'number') return ipv4(net + Math.max(0, 2 ** (32 - length) - 1 - back));
  const size = 1n << BigInt(128 - length);
  return ipv6(net + (size > BigInt(back) ? size - 1n - BigInt(back) : 0n));
}
