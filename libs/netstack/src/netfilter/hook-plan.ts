import type { Family } from '#libs/model';
import type { NetNamespace } from '../namespace.js';
import type { Program, ProgramChain } from './nft/program.js';
import { chainOrder, orderedGroups, tableOrder, type Registered } from './registration-order.js';
import type { Chain, Hook, Ruleset, Table } from './ruleset.js';
import type { Manip } from './translate.js';

/** What a packet meets at one hook of a namespace, in order. Without rules there is nothing to meet, so empty chains are left out. */
export interface HookPlan {
  readonly stages: readonly Stage[];
  /** Chains of type nat, in order: asked for the first packet of a connection only. Of more than one in a group no order is known. */
  readonly nat: readonly (readonly RuleChain[])[];
  /** Rules that were not collected may drop the packet, or translate it: what is missing, and why. */
  readonly missing?: string;
  /** nf_conntrack_tcp_loose. */
  readonly loose: boolean;
}

type Stage =
  | { readonly kind: 'track' | 'confirm'; readonly priority: number }
  | { readonly kind: 'nat'; readonly priority: number; readonly manip: Manip }
  | { readonly kind: 'filter'; readonly priority: number; readonly chain: RuleChain }
  /** Of these it is not known which comes first. */
  | { readonly kind: 'filters'; readonly priority: number; readonly chains: readonly RuleChain[] };

/** A base chain; `reroutes`: of a type that looks at the route again when it has changed the mark. */
export type RuleChain =
  | {
      readonly kind: 'iptables';
      readonly backend: Ruleset['backend'];
      readonly table: Table;
      readonly chain: Chain;
      readonly reroutes: boolean;
    }
  | { readonly kind: 'native'; readonly program: Program; readonly chain: ProgramChain; readonly reroutes: boolean };

/*
 *   receive ─► PREROUTING ─► route ─┬─► INPUT ─► socket ─► route ─► OUTPUT ─┐
 *                                   └──────────► FORWARD ───────────────────┴─► POSTROUTING ─► transmit
 *
 * Priorities are those of include/uapi/linux/netfilter_ipv4.h; conntrack confirms last.
 * iptables-nft registers its security table at 150, behind the translation of sources; legacy at 50, as the header says.
 */
const TABLES: readonly {
  readonly name: string;
  readonly priority: number;
  readonly hooks: readonly Hook[];
  readonly backend?: 'nft' | 'legacy';
}[] = [
  { name: 'raw', priority: -300, hooks: ['PREROUTING', 'OUTPUT'] },
  { name: 'mangle', priority: -150, hooks: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] },
  { name: 'filter', priority: 0, hooks: ['INPUT', 'FORWARD', 'OUTPUT'] },
  { name: 'security', priority: 50, hooks: ['INPUT', 'FORWARD', 'OUTPUT'], backend: 'legacy' },
  { name: 'security', priority: 150, hooks: ['INPUT', 'FORWARD', 'OUTPUT'], backend: 'nft' },
];

const TRACK = { kind: 'track', priority: -200 } as const;
/** NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC. */
const DESTINATION = { kind: 'nat', priority: -100, manip: 'destination' } as const;
const SOURCE = { kind: 'nat', priority: 100, manip: 'source' } as const;
const CONFIRM = { kind: 'confirm', priority: 0x7fffffff } as const;

/** What is there whether rules are or not: a connection that was translated before goes on being translated. */
const CONNECTION_STAGES: Readonly<Record<Hook, readonly Stage[]>> = {
  PREROUTING: [TRACK, DESTINATION],
  INPUT: [SOURCE, CONFIRM],
  FORWARD: [],
  OUTPUT: [TRACK, DESTINATION],
  POSTROUTING: [SOURCE, CONFIRM],
};

/** Kept by the namespace, as they last as long as it does. */
export type HookPlans = Readonly<Record<Family, Partial<Record<Hook, HookPlan>>>>;

/** Made once for each namespace: a packet only follows it. */
export function planOf(ns: NetNamespace, family: Family, hook: Hook): HookPlan {
  return (ns.hookPlans[family][hook] ??= makePlan(ns, family, hook));
}

function makePlan(ns: NetNamespace, family: Family, hook: Hook): HookPlan {
  const native = nativeChains(ns, family, hook);
  const filters = [...iptablesChains(ns, family, hook), ...native.filter(({ chain }) => !isNat(chain))];
  const nat = [...iptablesNat(ns, family, hook), ...native.filter(({ chain }) => isNat(chain))];
  return {
    stages: [...CONNECTION_STAGES[hook], ...filterStages(filters)].toSorted((a, b) => a.priority - b.priority),
    nat: orderedGroups(nat.filter(({ chain }) => decidesAnything(chain))).map(({ chains }) => chains),
    missing: missingRules(ns, family),
    loose: ns.sysctlNumber('net.netfilter.nf_conntrack_tcp_loose') !== 0,
  };
}

function filterStages(registered: readonly Registered[]): Stage[] {
  return orderedGroups(registered.filter(({ chain }) => decidesAnything(chain))).map(({ priority, chains }) => {
    const [chain] = chains;
    return chains.length === 1 && chain !== undefined
      ? { kind: 'filter', priority, chain }
      : { kind: 'filters', priority, chains };
  });
}

function isNat(chain: RuleChain): boolean {
  return chain.kind === 'native' && chain.chain.base?.type === 'nat';
}

function decidesAnything({ kind, chain }: RuleChain): boolean {
  return chain.rules.length > 0 || (kind === 'native' ? chain.base?.policy === 'drop' : chain.policy === 'DROP');
}

function iptablesChains(ns: NetNamespace, family: Family, hook: Hook): Registered[] {
  return TABLES.filter(({ hooks }) => hooks.includes(hook)).flatMap(({ name, priority, backend }) =>
    ns.iptables(family).flatMap((ruleset) => {
      if (ruleset === undefined || (backend ?? ruleset.backend) !== ruleset.backend) return [];
      return baseChain(ns, ruleset, { name, priority, hook });
    }),
  );
}

function iptablesNat(ns: NetNamespace, family: Family, hook: Hook): Registered[] {
  const { priority } = hook === 'PREROUTING' || hook === 'OUTPUT' ? DESTINATION : SOURCE;
  return ns
    .iptables(family)
    .flatMap((ruleset) => (ruleset === undefined ? [] : baseChain(ns, ruleset, { name: 'nat', priority, hook })));
}

function baseChain(
  ns: NetNamespace,
  ruleset: Ruleset,
  at: { readonly name: string; readonly priority: number; readonly hook: Hook },
): Registered[] {
  const table = ruleset.tables.get(at.name);
  const chain = table?.chains.get(at.hook);
  if (table === undefined || chain === undefined) return [];
  return [
    {
      priority: at.priority,
      order: tableOrder(ns, ruleset, at.name, at.hook),
      chain: { kind: 'iptables', backend: ruleset.backend, table, chain, reroutes: at.name === 'mangle' },
    },
  ];
}

function nativeChains(ns: NetNamespace, family: Family, hook: Hook): Registered[] {
  const found: Registered[] = [];
  for (const program of ns.native ?? [])
    if (program.family === 'inet' || program.family === (family === 4 ? 'ip' : 'ip6'))
      for (const chain of program.chains.values())
        if (chain.base?.hook.toUpperCase() === hook)
          found.push({
            priority: chain.base.priority,
            order: chainOrder(ns, program, chain),
            chain: { kind: 'native', program, chain, reroutes: chain.base.type === 'route' },
          });
  return found;
}

function missingRules(ns: NetNamespace, family: Family): string | undefined {
  const files = ns.missingFiles().filter(({ file }) => isRuleFile(file, family));
  return files.length === 0 ? undefined : files.map(({ file, reason }) => `${file}: ${reason}`).join('; ');
}

function isRuleFile(file: string, family: Family): boolean {
  return file === 'nft.json' || (family === 4 ? /^iptables-/ : /^ip6tables-/).test(file);
}
