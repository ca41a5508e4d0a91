import type { Family, Ip } from '#libs/model';
import type { Chooser } from '../chooser.js';
import type { NetNamespace } from '../namespace.js';
import type { Skb } from '../skb.js';
import { applyDecided, type ConntrackTable } from './conntrack.js';
import type { Program, ProgramChain } from './nft/program.js';
import { runBaseChain } from './nft/run.js';
import type { Hook } from './ruleset.js';
import { showSkb } from '../skb.js';
import { runTable, type HookObserver, type Manip } from './traverse.js';

/** The packet at one hook of one namespace. */
export interface HookRun {
  readonly ns: NetNamespace;
  readonly hook: Hook;
  readonly skb: Skb;
  readonly iif: string;
  readonly oif: string;
  readonly conntrack: ConntrackTable;
  readonly chooser: Chooser;
  readonly observer: HookObserver;
  /** Only what is registered before this priority: somebody (ipvs) takes the packet there. */
  readonly before?: number;
  /** The gateway that the packet leaves to; undefined: its destination is on the link. */
  readonly nextHop?: Ip;
}

type Stage =
  | { readonly priority: number; readonly table: string; readonly manip?: Manip; readonly backend?: 'nft' | 'legacy' }
  | { readonly priority: number; readonly track: true }
  | { readonly priority: number; readonly confirm: true }
  | { readonly priority: number; readonly program: Program; readonly chain: ProgramChain };

/*
 *   receive ─► PREROUTING ─► route ─┬─► INPUT ─► socket ─► route ─► OUTPUT ─┐
 *                                   └──────────► FORWARD ───────────────────┴─► POSTROUTING ─► transmit
 *
 * Priorities are those of include/uapi/linux/netfilter_ipv4.h; conntrack confirms last.
 * iptables-nft registers its security table at 150, behind the translation of sources; legacy at 50, as the header says.
 */
const STAGES: Readonly<Record<Hook, readonly Stage[]>> = {
  PREROUTING: [
    { priority: -300, table: 'raw' },
    { priority: -200, track: true },
    { priority: -150, table: 'mangle' },
    { priority: -100, table: 'nat', manip: 'destination' },
  ],
  INPUT: [
    { priority: -150, table: 'mangle' },
    { priority: 0, table: 'filter' },
    { priority: 50, table: 'security', backend: 'legacy' },
    { priority: 100, table: 'nat', manip: 'source' },
    { priority: 150, table: 'security', backend: 'nft' },
    { priority: 0x7fffffff, confirm: true },
  ],
  FORWARD: [
    { priority: -150, table: 'mangle' },
    { priority: 0, table: 'filter' },
    { priority: 50, table: 'security', backend: 'legacy' },
    { priority: 150, table: 'security', backend: 'nft' },
  ],
  OUTPUT: [
    { priority: -300, table: 'raw' },
    { priority: -200, track: true },
    { priority: -150, table: 'mangle' },
    { priority: -100, table: 'nat', manip: 'destination' },
    { priority: 0, table: 'filter' },
    { priority: 50, table: 'security', backend: 'legacy' },
    { priority: 150, table: 'security', backend: 'nft' },
  ],
  POSTROUTING: [
    { priority: -150, table: 'mangle' },
    { priority: 100, table: 'nat', manip: 'source' },
    { priority: 0x7fffffff, confirm: true },
  ],
};

/** nf_hook(): everything that is registered at the hook, by priority. Stops are told to the observer, the packet goes on. */
export function runHook(run: HookRun): { readonly reroute: boolean } {
  let reroute = false;
  const rulesets = run.ns.iptables(run.skb.family);
  const { ns, hook, skb, iif, oif, chooser, nextHop } = run;
  const env = { ns, hook, skb, iif, oif, chooser, nextHop };
  askForMissing(
    run,
    rulesets.some((ruleset) => ruleset === undefined),
  );
  for (const stage of chainsOf(run.ns, run.hook, run.skb.family).stages) {
    if (run.before !== undefined && stage.priority >= run.before) break;
    const { mark } = run.skb;
    if ('track' in stage) track(run);
    else if ('confirm' in stage) run.conntrack.confirm(run.skb);
    else if ('program' in stage) runBaseChain({ env, program: stage.program, observer: run.observer }, stage.chain);
    else if (stage.manip !== undefined) runNat(run, stage.manip);
    else
      for (const ruleset of rulesets)
        if (ruleset !== undefined && (stage.backend ?? ruleset.backend) === ruleset.backend)
          runTable({ env, ruleset, observer: run.observer }, stage.table);
    // Only chains of type route (iptables: mangle) look at the route again when they have changed the mark.
    if (mark !== run.skb.mark && isRouteStage(stage)) reroute = true;
  }
  return { reroute };
}

function isRouteStage(stage: Stage): boolean {
  return 'program' in stage ? stage.chain.base?.type === 'route' : 'table' in stage && stage.table === 'mangle';
}

function track(run: HookRun): void {
  const { ns, conntrack, skb, observer } = run;
  if (conntrack.track(skb, ns.sysctlNumber('net.netfilter.nf_conntrack_tcp_loose') !== 0) !== 'full') return;
  const text = `${ns.conntrackCount ?? 0} of ${ns.sysctl('net.netfilter.nf_conntrack_max') ?? '?'} connections`;
  observer.stopped({
    verdict: 'drop',
    cause: 'full',
    evidence: { kind: 'sysctl', at: ns.place, locator: 'net.netfilter.nf_conntrack_max', text },
  });
}

interface HookChains {
  readonly stages: readonly Stage[];
  /** Native nat chains, by priority: asked for the first packet of a connection only. */
  readonly nat: readonly Extract<Stage, { program: Program }>[];
}

const chainCache = new WeakMap<NetNamespace, Map<string, HookChains>>();

/** The fixed stages and the namespace's own base chains; at equal priority iptables comes first: it registered earlier. */
function chainsOf(ns: NetNamespace, hook: Hook, family: Family): HookChains {
  let known = chainCache.get(ns);
  if (known === undefined) chainCache.set(ns, (known = new Map()));
  const key = `${hook}${family}`;
  let chains = known.get(key);
  if (chains === undefined) {
    const own = baseChains(ns, hook, family).toSorted((a, b) => a.priority - b.priority);
    chains = {
      stages: [...STAGES[hook], ...own.filter(({ chain }) => chain.base?.type !== 'nat')].toSorted(
        (a, b) => a.priority - b.priority,
      ),
      nat: own.filter(({ chain }) => chain.base?.type === 'nat'),
    };
    known.set(key, chains);
  }
  return chains;
}

function baseChains(ns: NetNamespace, hook: Hook, family: Family): Extract<Stage, { program: Program }>[] {
  const found: Extract<Stage, { program: Program }>[] = [];
  for (const program of ns.native ?? [])
    if (program.family === 'inet' || program.family === (family === 4 ? 'ip' : 'ip6'))
      for (const chain of program.chains.values())
        if (chain.base?.hook.toUpperCase() === hook) found.push({ priority: chain.base.priority, program, chain });
  return found;
}

/** Rules that were not collected may drop the packet, or translate it. */
function askForMissing(run: HookRun, incomplete: boolean): void {
  const { ns, observer, skb } = run;
  const files =
    incomplete || ns.native === undefined ? ns.missingFiles().filter(({ file }) => isRuleFile(file, skb.family)) : [];
  if (files.length === 0) return;
  const text = files.map(({ file, reason }) => `${file}: ${reason}`).join('; ');
  observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'file', at: ns.place, locator: 'netfilter', text: `what netfilter of ${ns.id} does (${text})` },
  });
}

function isRuleFile(file: string, family: Family): boolean {
  return file === 'nft.json' || (family === 4 ? /^iptables-/ : /^ip6tables-/).test(file);
}

/** nf_nat_inet_fn(): the first packet of a connection asks the nat tables, all others follow what it got. */
function runNat(run: HookRun, manip: Manip): void {
  const { skb } = run;
  const ct = skb.ct;
  if (ct === undefined) return;
  const { conn } = ct;
  const decided = manip === 'destination' ? conn.destinationDecided : conn.sourceDecided;
  if (ct.state === 'NEW' && !ct.reply && !decided) {
    if (decideNat(run, manip)) return;
    // A null binding: nothing matched, and nothing will be asked again.
    if (manip === 'destination') conn.destinationDecided = true;
    else conn.sourceDecided = true;
    return;
  }
  const before = showSkb(skb);
  if (applyDecided(skb, manip))
    run.observer.step({
      kind: 'translate',
      text: `${run.hook}: ${manip} translated as the connection's first packet was`,
      before,
      after: showSkb(skb),
    });
}

/** What iptables registers its nat tables at: NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC. */
const NAT_PRIORITY = { destination: -100, source: 100 } as const;

/** All nat chains of the hook by priority, iptables first among equals; the first that decides wins. */
function decideNat(run: HookRun, manip: Manip): boolean {
  const { ns, hook, skb, iif, oif, chooser, nextHop, observer } = run;
  const env = { ns, hook, skb, iif, oif, chooser, nextHop };
  const { nat } = chainsOf(ns, run.hook, skb.family);
  const decides = ({ program, chain }: (typeof nat)[number]): boolean =>
    runBaseChain({ env, program, observer, manip }, chain);
  if (nat.some((own) => own.priority < NAT_PRIORITY[manip] && decides(own))) return true;
  for (const ruleset of ns.iptables(skb.family))
    if (ruleset !== undefined && runTable({ env, ruleset, observer, manip }, 'nat')) return true;
  return nat.some((own) => own.priority >= NAT_PRIORITY[manip] && decides(own));
}

/** The packet at a hook below IP: of a bridge (family bridge) or of one device (family netdev, and inet's ingress). */
export interface FamilyRun {
  readonly ns: NetNamespace;
  readonly family: 'bridge' | 'netdev';
  /** ingress, egress, prerouting, input, forward, output, postrouting. */
  readonly hook: string;
  readonly skb: Skb;
  readonly iif: string;
  readonly oif: string;
  readonly chooser: Chooser;
  readonly observer: HookObserver;
}

/** Base chains of tables that iptables-save does not show and that drop all the same. */
export function runFamilyHook(run: FamilyRun): void {
  const { ns, family, hook, skb, iif, oif, chooser, observer } = run;
  const found: { program: Program; chain: ProgramChain; priority: number }[] = [];
  for (const program of ns.native ?? []) {
    const inetIngress = program.family === 'inet' && family === 'netdev';
    if (program.family !== family && !inetIngress) continue;
    for (const chain of program.chains.values())
      if (chain.base?.hook === hook && isOnDevice(run, program, chain))
        found.push({ program, chain, priority: chain.base.priority });
  }
  // The rules see the packet as at IP hooks; names of hooks only tell dice and errors apart.
  const env = { ns, hook: 'FORWARD' as const, skb, iif, oif, chooser };
  for (const { program, chain } of found.toSorted((a, b) => a.priority - b.priority))
    runBaseChain({ env, program, observer }, chain);
}

/** nft 1.0.6 leaves the device of a netdev chain out of its JSON: whether the chain is on this one cannot be told then. */
function isOnDevice(
  { ns, family, hook, iif, oif, chooser }: FamilyRun,
  program: Program,
  { name, base }: ProgramChain,
): boolean {
  if (family === 'bridge') return true;
  const dev = hook === 'ingress' ? iif : oif;
  if (base?.dev !== undefined) return base.dev === dev;
  return !chooser.guess(
    `whether chain ${program.name}/${name} of ${ns.id} is on another device than ${dev} (nft.json does not say)`,
  );
}
