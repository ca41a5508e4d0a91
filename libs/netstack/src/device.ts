import type { Evidence } from '#libs/model';
import { runFamilyHook } from './netfilter/hooks.js';
import type { FilterStop } from './netfilter/traverse.js';
import type { Chooser } from './chooser.js';
import type { NetNamespace } from './namespace.js';
import type { NamespaceRun, Obstacle } from './outcome.js';
import type { TcFilter } from './parse/tc.js';
import type { Skb } from './skb.js';
import { runBpf } from './tc/bpf.js';
import { arpFrame, frameOf, type ArpMessage } from './tc/frame.js';

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
    observer: {
      records: run.recorder.quiet !== true,
      step: (step) => run.recorder.step(step),
      stopped: (stop) => deviceStop(run, dev, skb, stop),
    },
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
  const filters = run.ns.tcFilters(dev, direction);
  if (filters.length === 0) return;
  const frame = { ...frameOf(skb, skb.srcMac ?? '', dstMac), etherType: skb.family === 4 ? 0x0800 : 0x86dd };
  const stopped = firstStop(run.ns, filters, frame, skb.mark, run.chooser);
  if (stopped === undefined) return;
  const { filter, known } = stopped;
  run.recorder.obstacle({
    facts: known
      ? tcDrop(run.ns, filter)
      : {
          code: 'FEATURE_UNSUPPORTED',
          subject: { ...run.ns.place, interface: dev },
          evidence: [tcEvidence(run.ns, filter)],
          details: { feature: `tc ${filter.kind}` },
        },
    disposition: known ? 'dropped' : 'insufficient-info',
    answer: { kind: 'silence' },
    skb,
  });
}

/** What drops an ARP message on a device, as the facts of the finding; filters that are not modelled are taken to let it pass. */
export function arpDrop(
  ns: NetNamespace,
  dev: string,
  direction: TcFilter['direction'],
  message: ArpMessage,
): Obstacle['facts'] | undefined {
  const filters = ns.tcFilters(dev, direction);
  if (filters.length === 0) return undefined;
  const stopped = firstStop(ns, filters, { ...arpFrame(message), etherType: 0x0806 }, 0, { guess: () => true });
  return stopped === undefined ? undefined : tcDrop(ns, stopped.filter);
}

interface TcFrame {
  readonly bytes: Uint8Array;
  readonly networkOffset: number;
  readonly etherType: number;
}

const ETHER_TYPES: ReadonlyMap<string, number> = new Map([
  ['ip', 0x0800],
  ['arp', 0x0806],
  ['ipv6', 0x86dd],
]);

/** The filter that ends the frame's way; `known` false: it is of a kind that is not modelled, and was guessed to. */
function firstStop(
  ns: NetNamespace,
  filters: readonly TcFilter[],
  frame: TcFrame,
  mark: number,
  chooser: Pick<Chooser, 'guess'>,
): { readonly filter: TcFilter; readonly known: boolean } | undefined {
  for (const filter of filters) {
    const { protocol, dev, direction, kind } = filter;
    if (protocol !== 'all' && (ETHER_TYPES.get(protocol) ?? frame.etherType) !== frame.etherType) continue;
    const verdict = decide(ns, filter, frame, mark);
    if (verdict === TC_ACT_OK || verdict === TC_ACT_PIPE) return undefined;
    if (verdict === TC_ACT_UNSPEC || verdict === TC_ACT_RECLASSIFY) continue;
    if (verdict === TC_ACT_SHOT) return { filter, known: true };
    const what = `what tc filter on ${dev} ${direction} of ${ns.id} does with the packet (${kind} is present, not modelled): ${filter.text.slice(0, 120)}`;
    if (!chooser.guess(what)) return { filter, known: false };
  }
  return undefined;
}

/** The action of a classic BPF program in direct-action mode; undefined: another kind of filter, or an action that is not modelled. */
function decide(ns: NetNamespace, filter: TcFilter, frame: TcFrame, mark: number): number | undefined {
  if (filter.bytecode === undefined || !filter.directAction) return undefined;
  // Offsets of SKF_AD_*: protocol 0, pkttype 4, ifindex 8, mark 20.
  const ancillary = new Map([
    [0, frame.etherType],
    [4, 0],
    [8, ns.link(filter.dev)?.index ?? 0],
    [20, mark],
  ]);
  const result = runBpf(filter.bytecode, { ...frame, ancillary });
  return result === undefined || (result > TC_ACT_PIPE && result !== TC_ACT_UNSPEC) ? undefined : result;
}

function tcDrop(ns: NetNamespace, filter: TcFilter): Obstacle['facts'] {
  return {
    code: 'TC_DROP',
    subject: { ...ns.place, interface: filter.dev },
    evidence: [tcEvidence(ns, filter)],
    details: { interface: filter.dev, direction: filter.direction },
  };
}

function tcEvidence(ns: NetNamespace, filter: TcFilter): Evidence {
  return { kind: 'tc', at: ns.place, locator: `tc/${filter.dev}/${filter.direction}`, text: filter.text };
}
