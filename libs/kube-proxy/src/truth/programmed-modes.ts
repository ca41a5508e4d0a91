import type { Family } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { ProxyMode } from '../config.js';
import { readProxyRules, type ProxyRules } from '../programmed/proxy-rules.js';

const FAMILIES = [4, 6] as const;

/** One mode (and back end) of kube-proxy that has left rules on a node. */
export interface ProgrammedMode {
  readonly mode: ProxyMode;
  readonly rules: ReadonlyMap<Family, ProxyRules>;
  readonly hasEndpointChains: boolean;
  readonly locator: string;
  readonly text: string;
}

/** The modes that have left rules here, the working one first: ipvs, nftables, then iptables by number of rules. */
export function programmedModes(ns: NetNamespace): ProgrammedMode[] {
  const byKind = new Map<string, { mode: 'iptables' | 'nftables'; rules: Map<Family, ProxyRules>; size: number }>();
  for (const family of FAMILIES)
    for (const [at, rules] of readProxyRules(ns, family).entries()) {
      const key = `${rules.mode} ${backendOf(rules) ?? at}`;
      const known = byKind.get(key) ?? { mode: rules.mode, rules: new Map<Family, ProxyRules>(), size: 0 };
      known.rules.set(family, rules);
      known.size += rules.entries().size;
      byKind.set(key, known);
    }
  const found = [...byKind].map(([key, { mode, rules, size }]) => ({
    mode,
    rules,
    size,
    hasEndpointChains: [...rules.values()].some(hasEndpoints),
    locator: mode === 'nftables' ? 'ip kube-proxy' : 'nat/KUBE-SERVICES',
    text: `${size} service addresses in ${key.split(' ').toReversed().join('-')}`,
  }));
  const ordered = found.toSorted((a, b) => b.size - a.size);
  // What is empty is a leftover, unless there is nothing else.
  const full = ordered.filter(({ size }) => size > 0);
  const kept = full.length > 0 ? full : ordered.slice(0, 1);
  const servers = ns.virtualServers ?? [];
  const hasDevice = ns.link('kube-ipvs0') !== undefined;
  if (servers.length === 0 && !hasDevice) return kept;
  return [
    {
      mode: 'ipvs',
      rules: new Map(),
      hasEndpointChains: false,
      locator: 'ipvs',
      text: `${servers.length} virtual servers`,
    },
    ...kept,
  ];
}

/** The modes that count where the user says which one is at work: rules of another are leftovers, however many there are. */
export function toldFirst(modes: readonly ProgrammedMode[], told: ProxyMode | undefined): readonly ProgrammedMode[] {
  if (told === undefined) return modes;
  return [...modes.filter(({ mode }) => mode === told), ...modes.filter(({ mode }) => mode !== told)];
}

/** The rules of the working mode in a family. */
export function rulesOf(modes: readonly ProgrammedMode[], family: Family): ProxyRules | undefined {
  const [first] = modes;
  const own = first?.rules.get(family);
  if (own !== undefined) return own;
  return modes.find(({ mode, rules }) => mode === first?.mode && rules.has(family))?.rules.get(family);
}

function backendOf(rules: ProxyRules): string | undefined {
  return rules.mode === 'iptables' ? rules.backend : 'native';
}

function hasEndpoints(rules: ProxyRules): boolean {
  for (const table of rules.tables)
    for (const name of table.chainNames()) if (/^(KUBE-SVC-|service-[A-Z0-9]{8}-)/.test(name)) return true;
  return false;
}
