import { formatIp, ipv4, type Cidr, type Evidence, type Ipv4, type Step } from '#libs/model';
import { ConntrackTable, hook, SYN, TCP, type Chooser, type NetNamespace, type Skb } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';

/** Some address of the internet; which one does not matter to rules that masquerade what leaves the cluster. */
const OUTSIDE = ipv4(0x08080808);

/** A packet of a pod that leaves a node. */
export interface LeavingPacket {
  readonly src: Ipv4;
  readonly dst: Ipv4;
  readonly oif: string;
}

export interface Translation {
  /** `unknown`: rules were not collected, or hang on something that no dump shows. */
  readonly translated: 'yes' | 'no' | 'unknown';
  readonly evidence?: Evidence;
}

/**
 * Whether the node translates the source of the first packet of a connection: the packet is sent through POSTROUTING as the walk
 * sends it. So any rule that does it counts, whoever wrote it and in whatever table, and names of chains do not matter.
 */
export function translation(ns: NetNamespace, { src, dst, oif }: LeavingPacket): Translation {
  let unsure = false;
  let evidence: Evidence | undefined;
  const chooser: Chooser = {
    pick: () => {
      unsure = true;
      return 0;
    },
    guess: () => {
      unsure = true;
      return false;
    },
  };
  const conntrack = new ConntrackTable();
  const skb: Skb = {
    family: 4,
    src,
    dst,
    protocol: TCP,
    sport: 40000,
    dport: 443,
    tcpFlags: SYN,
    ttl: 63,
    mark: 0,
    length: 60,
  };
  conntrack.track(skb, true);
  let translated = false;
  const recorder = {
    step: (step: Step) => {
      if (step.kind !== 'translate') return;
      translated = true;
      evidence = step.evidence;
    },
    obstacle: ({ unknowable }: { readonly unknowable?: true }) => {
      if (unknowable === true) unsure = true;
    },
  };
  hook({ ns, conntrack, chooser, recorder }, 'POSTROUTING', skb, '', oif);
  return { translated: unsure ? 'unknown' : translated ? 'yes' : 'no', evidence };
}

/** Pods must be hidden behind the node when they talk to the world; undefined when they are, or it cannot be told. */
export function masqueradeMissing(
  ns: NetNamespace,
  pods: Cidr,
  oif: string,
  { why, remedy }: { readonly why: Evidence; readonly remedy: string },
): Finding | undefined {
  const src = someAddress(pods);
  if (src === undefined || translation(ns, { src, dst: OUTSIDE, oif }).translated !== 'no') return undefined;
  const text = `no rule translates ${formatIp(src)} -> ${formatIp(OUTSIDE)} out of ${oif}`;
  return {
    code: 'MASQUERADE_MISSING',
    subject: ns.place,
    evidence: [{ kind: 'chain', at: ns.place, locator: 'nat/POSTROUTING', text }, why],
    details: { source: formatPrefix(pods) },
    remedy,
  };
}

/** Pods see each other's own addresses. */
export function masqueradeUnexpected(
  ns: NetNamespace,
  pods: Cidr,
  others: { readonly cidr: Cidr; readonly oif: string },
): Finding | undefined {
  const src = someAddress(pods);
  const dst = someAddress(others.cidr);
  if (src === undefined || dst === undefined) return undefined;
  const { translated, evidence } = translation(ns, { src, dst, oif: others.oif });
  if (translated !== 'yes' || evidence === undefined) return undefined;
  return {
    code: 'MASQUERADE_UNEXPECTED',
    subject: ns.place,
    evidence: [evidence],
    details: { source: formatPrefix(pods) },
    remedy: 'Exempt the pod network from the rule: policies and logs of the far end see the node, not the pod.',
    concerns: others.cidr,
  };
}

/** One that pods may have: not the first two of the network, which are the tunnel's and the bridge's. */
export function someAddress({ net, length }: Cidr): Ipv4 | undefined {
  if (typeof net !== 'number') return undefined;
  return ipv4(net + Math.min(2, 2 ** (32 - length) - 1));
}

function formatPrefix({ net, length }: Cidr): string {
  return `${formatIp(net)}/${length}`;
}
