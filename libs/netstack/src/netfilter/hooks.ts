import type { Chooser } from '../chooser.js';
import type { NetNamespace } from '../namespace.js';
import { showSkb, type Skb } from '../skb.js';
import { applyDecided, type ConntrackTable } from './conntrack.js';
import { planOf, type HookPlan, type RuleChain } from './hook-plan.js';
import type { Program, ProgramChain } from './nft/program.js';
import { runBaseChain } from './nft/run.js';
import type { Manip } from './translate.js';
import { runTable, type HookObserver, type RulesRun } from './traverse.js';
import { orderFor, runUnordered } from './unknown-order.js';

/** The packet at one hook of one namespace. */
export interface HookRun extends RulesRun {
  readonly conntrack: ConntrackTable;
  /** Only what is registered before this priority: somebody (ipvs) takes the packet there. */
  readonly before?: number;
}

/** What the hook means for the route of a packet that this host makes. */
export interface HookResult {
  /** The route is asked for again: ip_route_me_harder(). */
  readonly reroute: boolean;
  /** The packet's mark when it was asked for the last time: marks that are set later count for nothing. */
  readonly mark: number;
}

const STAY: HookResult = { reroute: false, mark: 0 };

/** nf_hook(): everything that is registered at the hook, by priority. Stops are told to the observer, the packet goes on. */
export function runHook(run: HookRun): HookResult {
  const { skb, before } = run;
  const { stages, nat, missing, loose } = planOf(run.ns, skb.family, run.hook);
  if (missing !== undefined) tellMissing(run, missing);
  let result = STAY;
  for (let i = 0; i < stages.length; i++) {
    const stage = stages[i];
    if (stage === undefined || (before !== undefined && stage.priority >= before)) break;
    switch (stage.kind) {
      case 'track':
        track(run, loose);
        break;
      case 'confirm':
        run.conntrack.confirm(skb);
        break;
      case 'nat':
        runNat(run, nat, stage.manip);
        if (run.hook === 'OUTPUT' && isDestinationTranslated(skb)) result = { reroute: true, mark: skb.mark };
        break;
      case 'filter': {
        const { mark } = skb;
        runRules(run, stage.chain);
        if (mark !== skb.mark && stage.chain.reroutes) result = { reroute: true, mark: skb.mark };
        break;
      }
      case 'filters': {
        const { mark } = skb;
        runUnordered(run, stage.chains, runRules);
        if (mark !== skb.mark && stage.chains.some(({ reroutes }) => reroutes))
          result = { reroute: true, mark: skb.mark };
      }
    }
  }
  return result;
}

/** nf_nat_ipv4_local_fn(): compares what the packet's direction asked for with what the other direction answers from. */
function isDestinationTranslated({ ct }: Skb): boolean {
  if (ct === undefined) return false;
  const { original, reply } = ct.conn;
  return ct.reply ? reply.dst !== original.src : original.dst !== reply.src;
}

/** Gives true when a nat rule decided. */
function runRules(run: RulesRun, rules: RuleChain, manip?: Manip): boolean {
  return rules.kind === 'iptables'
    ? runTable(run, rules.table, rules.chain, manip)
    : runBaseChain(run, rules.program, rules.chain, manip);
}

function track({ ns, conntrack, skb, observer }: HookRun, loose: boolean): void {
  if (conntrack.track(skb, loose) !== 'full') return;
  const text = `${ns.conntrackCount ?? 0} of ${ns.sysctl('net.netfilter.nf_conntrack_max') ?? '?'} connections`;
  observer.stopped({
    verdict: 'drop',
    cause: 'full',
    evidence: { kind: 'sysctl', at: ns.place, locator: 'net.netfilter.nf_conntrack_max', text },
  });
}

/** Rules that were not collected may drop the packet, or translate it. */
function tellMissing({ ns, observer }: HookRun, missing: string): void {
  const text = `what netfilter of ${ns.id} does (${missing})`;
  observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'file', at: ns.place, locator: 'netfilter', text },
  });
}

/** Gives true when one of them decided. */
function runGroup(run: HookRun, group: readonly RuleChain[], manip: Manip): boolean {
  const chains = group.length < 2 ? group : orderFor(run, group, (trial, chain) => runRules(trial, chain, manip));
  for (let i = 0; i < chains.length; i++) {
    const chain = chains[i];
    if (chain !== undefined && runRules(run, chain, manip)) return true;
  }
  return false;
}

/** nf_nat_inet_fn(): the first packet of a connection asks the nat chains until one decides, all others follow what it got. */
function runNat(run: HookRun, groups: HookPlan['nat'], manip: Manip): void {
  const { skb, observer } = run;
  const ct = skb.ct;
  if (ct === undefined) return;
  const { conn } = ct;
  const decided = manip === 'destination' ? conn.destinationDecided : conn.sourceDecided;
  if (ct.state === 'NEW' && !ct.reply && !decided) {
    for (let i = 0; i < groups.length; i++) if (runGroup(run, groups[i] ?? [], manip)) return;
    // A null binding: nothing matched, and nothing will be asked again.
    if (manip === 'destination') conn.destinationDecided = true;
    else conn.sourceDecided = true;
    return;
  }
  const before = observer.records === false ? undefined : showSkb(skb);
  if (applyDecided(skb, manip) && before !== undefined)
    observer.step({
      kind: 'translate',
      text: `${run.hook}: ${manip} translated as the connection's first packet was`,
      before,
      after: showSkb(skb),
    });
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
  const rules = { ns, hook: 'FORWARD' as const, skb, iif, oif, chooser, observer };
  for (const { program, chain } of found.toSorted((a, b) => a.priority - b.priority))
    runBaseChain(rules, program, chain);
}

/** nft 1.0.6 leaves the device of a netdev chain out of its JSON: whether the chain is on this one cannot be told then. */
function isOnDevice(
  { ns, family, hook, iif, oif, chooser }: FamilyRun,
  program: Program,
  { name, base }: ProgramChain,
): boolean {
  if (family === 'bridge') return true;
  const dev = hook === 'ingress' ? iif : oif;
  if (base?.devices !== undefined) return base.devices.includes(dev);
  return !chooser.guess(
    `whether chain ${program.name}/${name} of ${ns.id} is on another device than ${dev} (nft.json does not say)`,
  );
}
