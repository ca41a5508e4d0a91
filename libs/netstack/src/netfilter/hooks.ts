import type { Chooser } from '../chooser.js';
import type { NetNamespace } from '../namespace.js';
import type { Skb } from '../skb.js';
import { applyDecided, type ConntrackTable } from './conntrack.js';
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
}

type Stage =
  | { readonly priority: number; readonly table: string; readonly manip?: Manip }
  | { readonly priority: number; readonly track: true }
  | { readonly priority: number; readonly confirm: true };

/*
 *   receive ─► PREROUTING ─► route ─┬─► INPUT ─► socket ─► route ─► OUTPUT ─┐
 *                                   └──────────► FORWARD ───────────────────┴─► POSTROUTING ─► transmit
 *
 * Priorities are those of include/uapi/linux/netfilter_ipv4.h; conntrack confirms last.
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
    { priority: 50, table: 'security' },
    { priority: 100, table: 'nat', manip: 'source' },
    { priority: 0x7fffffff, confirm: true },
  ],
  FORWARD: [
    { priority: -150, table: 'mangle' },
    { priority: 0, table: 'filter' },
    { priority: 50, table: 'security' },
  ],
  OUTPUT: [
    { priority: -300, table: 'raw' },
    { priority: -200, track: true },
    { priority: -150, table: 'mangle' },
    { priority: -100, table: 'nat', manip: 'destination' },
    { priority: 0, table: 'filter' },
    { priority: 50, table: 'security' },
  ],
  POSTROUTING: [
    { priority: -150, table: 'mangle' },
    { priority: 100, table: 'nat', manip: 'source' },
    { priority: 0x7fffffff, confirm: true },
  ],
};

/** nf_hook(): everything that is registered at the hook, by priority. Stops are told to the observer, the packet goes on. */
export function runHook(run: HookRun): void {
  const family = run.skb.family;
  const rulesets = run.ns.iptables(family);
  const env = { ns: run.ns, hook: run.hook, skb: run.skb, iif: run.iif, oif: run.oif, chooser: run.chooser };
  askForMissing(
    run,
    rulesets.some((ruleset) => ruleset === undefined),
  );
  for (const stage of STAGES[run.hook]) {
    if ('track' in stage)
      run.conntrack.track(run.skb, run.ns.sysctlNumber('net.netfilter.nf_conntrack_tcp_loose') !== 0);
    else if ('confirm' in stage) run.conntrack.confirm(run.skb);
    else if (stage.manip !== undefined) runNat(run, stage.manip);
    else
      for (const ruleset of rulesets)
        if (ruleset !== undefined) runTable({ env, ruleset, observer: run.observer }, stage.table);
  }
}

/** Rules that were not collected may drop the packet. So may native nftables chains, which are not modelled yet. */
function askForMissing(run: HookRun, incomplete: boolean): void {
  const { ns, chooser, observer, skb, hook } = run;
  const unknown: string[] = [];
  if (incomplete)
    for (const { file, reason } of ns.missingFiles())
      if (/^ip6?tables/.test(file) && file.startsWith('ip6') === (skb.family === 6)) unknown.push(`${file}: ${reason}`);
  const missingNft = ns.missing('nft.json');
  if (missingNft !== undefined) unknown.push(`${missingNft.file}: ${missingNft.reason}`);
  for (const table of ns.native ?? [])
    if (
      ['inet', skb.family === 4 ? 'ip' : 'ip6'].includes(table.family) &&
      table.baseChains.some((chain) => chain.hook.toUpperCase() === hook)
    )
      unknown.push(`nftables table ${table.family} ${table.name} is not modelled`);
  if (unknown.length === 0) return;
  if (chooser.guess(`whether netfilter of ${ns.id} lets the packet pass (${unknown.join('; ')})`)) return;
  observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'file', at: ns.place, locator: 'netfilter', text: unknown.join('; ') },
  });
}

/** nf_nat_inet_fn(): the first packet of a connection asks the nat tables, all others follow what it got. */
function runNat(run: HookRun, manip: Manip): void {
  const { skb, ns } = run;
  const ct = skb.ct;
  if (ct === undefined) return;
  const conn = ct.conn;
  const decided = manip === 'destination' ? conn.destinationDecided : conn.sourceDecided;
  if (ct.state === 'NEW' && !ct.reply && !decided) {
    const env = { ns, hook: run.hook, skb, iif: run.iif, oif: run.oif, chooser: run.chooser };
    for (const ruleset of ns.iptables(skb.family))
      if (ruleset !== undefined && runTable({ env, ruleset, observer: run.observer, manip }, 'nat')) return;
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
