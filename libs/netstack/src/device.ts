import type { Evidence } from '#libs/model';
import { runFamilyHook } from './netfilter/hooks.js';
import type { FilterStop } from './netfilter/traverse.js';
import type { NamespaceRun } from './outcome.js';
import type { TcFilter } from './parse/tc.js';
import type { Skb } from './skb.js';
import { runBpf } from './tc/bpf.js';
import { frameOf } from './tc/frame.js';

/** A frame comes in by a device: first its traffic control filters, then netfilter's netdev hook (net/core/dev.c). */
export function ingress(run: NamespaceRun, dev: string, skb: Skb, dstMac: string): void {
  runTrafficControl(run, dev, 'ingress', skb, dstMac);
  runNetdev(run, dev, 'ingress', skb);
}

/** A frame leaves by a device: netfilter's egress hook first, then traffic control. */
export function egress(run: NamespaceRun, dev: string, skb: Skb, dstMac: string): void {
  runNetdev(run, dev, 'egress', skb);
  runTrafficControl(run, dev, 'egress', skb, dstMac);
}

function runNetdev(run: NamespaceRun, dev: string, hook: 'ingress' | 'egress', skb: Skb): void {
  if (run.ns.native === undefined || run.ns.native.length === 0) return;
  runFamilyHook({
    ns: run.ns,
    family: 'netdev',
    hook,
    skb,
    iif: hook === 'ingress' ? dev : '',
    oif: hook === 'egress' ? dev : '',
    chooser: run.chooser,
    observer: { step: (step) => run.recorder.step(step), stopped: (stop) => deviceStop(run, dev, skb, stop) },
  });
}

/** Tells of a drop by a table below IP; it is silent, whatever the verdict's name. */
export function deviceStop(run: NamespaceRun, dev: string, skb: Skb, { evidence, verdict }: FilterStop): void {
  run.recorder.obstacle({
    facts: {
      code: verdict === 'drop' ? 'NFT_DROP' : 'FILTER_REJECT',
      subject: { ...run.ns.place, interface: dev },
      evidence: [evidence],
      details: { command: evidence.text },
    },
    disposition: 'denied',
    answer: { kind: 'silence' },
    skb,
  });
}

const TC_ACT_OK = 0;
const TC_ACT_RECLASSIFY = 1;
const TC_ACT_SHOT = 2;
const TC_ACT_PIPE = 3;
const TC_ACT_UNSPEC = 0xffffffff;

function runTrafficControl(
  run: NamespaceRun,
  dev: string,
  direction: TcFilter['direction'],
  skb: Skb,
  dstMac: string,
): void {
  for (const filter of run.ns.tcFilters(dev, direction)) {
    if (filter.protocol !== 'all' && filter.protocol !== (skb.family === 4 ? 'ip' : 'ipv6')) continue;
    const verdict = decide(run, filter, skb, dstMac);
    if (verdict === TC_ACT_OK || verdict === TC_ACT_PIPE) return;
    if (verdict === TC_ACT_UNSPEC || verdict === TC_ACT_RECLASSIFY) continue;
    if (verdict === TC_ACT_SHOT) {
      tcDrop(run, filter, skb);
      return;
    }
    const what = `what tc filter on ${dev} ${direction} of ${run.ns.id} does with the packet (${filter.kind} is present, not modelled): ${filter.text.slice(0, 120)}`;
    if (!run.chooser.guess(what)) {
      run.recorder.obstacle({
        facts: {
          code: 'FEATURE_UNSUPPORTED',
          subject: { ...run.ns.place, interface: dev },
          evidence: [tcEvidence(run, filter)],
          details: { feature: `tc ${filter.kind}` },
        },
        disposition: 'insufficient-info',
        answer: { kind: 'silence' },
        skb,
      });
      return;
    }
  }
}

/** The action of a classic BPF program in direct-action mode; undefined: another kind of filter, or an action that is not modelled. */
function decide(run: NamespaceRun, filter: TcFilter, skb: Skb, dstMac: string): number | undefined {
  if (filter.bytecode === undefined || !filter.directAction) return undefined;
  const frame = frameOf(skb, skb.srcMac ?? '', dstMac);
  const link = run.ns.link(filter.dev);
  // Offsets of SKF_AD_*: protocol 0, pkttype 4, ifindex 8, mark 20.
  const ancillary = new Map([
    [0, skb.family === 4 ? 0x0800 : 0x86dd],
    [4, 0],
    [8, link?.index ?? 0],
    [20, skb.mark],
  ]);
  const result = runBpf(filter.bytecode, { ...frame, ancillary });
  return result === undefined || (result > TC_ACT_PIPE && result !== TC_ACT_UNSPEC) ? undefined : result;
}

function tcDrop(run: NamespaceRun, filter: TcFilter, skb: Skb): void {
  run.recorder.obstacle({
    facts: {
      code: 'TC_DROP',
      subject: { ...run.ns.place, interface: filter.dev },
      evidence: [tcEvidence(run, filter)],
      details: { interface: `${filter.dev} ${filter.direction}` },
    },
    disposition: 'dropped',
    answer: { kind: 'silence' },
    skb,
  });
}

function tcEvidence(run: NamespaceRun, filter: TcFilter): Evidence {
  return { kind: 'tc', at: run.ns.place, locator: `tc/${filter.dev}/${filter.direction}`, text: filter.text };
}
