import { CLUSTERS, CLUSTERS_BY_MTU, type LabCluster } from './clusters.js';
import { COMPANY } from './company.js';
import type { Fault } from './fault.js';
import { FAULTS } from './faults/index.js';
import type { Expected } from './judge.js';
import { Target } from './target.js';

/** One cluster to build, healthy or with faults. */
export interface LabCase {
  readonly lab: LabCluster;
  readonly faults: readonly Fault[];
}

export function nameOf({ lab, faults }: LabCase): string {
  return `${lab.name}/${faults.map(({ name }) => name).join('+') || 'none'}`;
}

/** Every cluster healthy. */
export function healthyCases(): readonly LabCase[] {
  return CLUSTERS.map((lab) => ({ lab, faults: [] }));
}

/** Every cluster with an MTU that is not 1500, and with what else lives on nodes and in pods: healthy as well. */
export function accompaniedCases(): readonly LabCase[] {
  return CLUSTERS_BY_MTU.map((lab) => ({ lab, faults: COMPANY }));
}

/** Nothing is broken: what works must raise no alarm. */
export function isHealthy({ faults }: LabCase): boolean {
  return faults.every((fault) => COMPANY.includes(fault));
}

/** What the answers in such a cluster have to say. */
export function expectedOf(labCase: LabCase): Expected {
  const { lab, faults } = labCase;
  return {
    causes: faults.flatMap(({ causes }) => causes?.(new Target(lab)) ?? []),
    isHealthy: isHealthy(labCase),
    enforcesPolicies: faults.some(({ policies }) => policies !== undefined),
    isUndecidable: faults.some(({ undecidable }) => undecidable !== undefined),
  };
}

/** Each fault in `copies` of the clusters that it fits, in turn, so that all clusters get about as many faults. */
export function faultyCases(copies: number): readonly LabCase[] {
  const used = new Map<LabCluster, number>();
  const cases: LabCase[] = [];
  for (let round = 0; round < copies; round++)
    for (const [index, fault] of FAULTS.entries()) {
      const taken = cases.filter((made) => made.faults.includes(fault)).map(({ lab }) => lab);
      const free = CLUSTERS.filter((lab) => fits(fault, lab) && !taken.includes(lab));
      // Another CNI plugin each time, while there is one.
      const other = free.filter((lab) => taken.every(({ cni }) => cni !== lab.cni));
      const candidates = other.length > 0 ? other : free;
      const least = Math.min(...candidates.map((lab) => used.get(lab) ?? 0));
      const best = candidates.filter((lab) => (used.get(lab) ?? 0) === least);
      const lab = best[index % best.length];
      if (lab === undefined) continue;
      used.set(lab, least + 1);
      cases.push({ lab, faults: [fault] });
    }
  return cases;
}

// A healthy cluster of each CNI plugin, and one or two faults of each layer.
const SHORT: readonly (readonly [cluster: string, fault: string | undefined])[] = [
  ['flannel-host-gw.nftables', undefined],
  ['flannel-vxlan.legacy', undefined],
  ['calico-bgp.iptables', undefined],
  ['calico-vxlan.nftables', undefined],
  ['kindnet.iptables', undefined],
  ['flannel-vxlan.nftables', 'hairpin-off'],
  ['calico-vxlan.iptables', 'pod-address-on-node'],
  ['kindnet.legacy', 'route-wrong-gateway'],
  ['calico-bgp.nftables', 'rule-fwmark'],
  ['calico-bgp.nftables', 'rule-suppress'],
  ['calico-vxlan.legacy', 'proxy-arp-off'],
  ['flannel-vxlan.iptables', 'fdb-missing'],
  ['flannel-host-gw.legacy', 'ip-forward-off'],
  ['kindnet.nftables', 'drop-mangle-postrouting'],
  ['flannel-host-gw.iptables', 'other-backend-drop'],
  ['calico-bgp.legacy', 'mark-masq-empty'],
  ['flannel-vxlan.legacy', 'dnat-to-client'],
  ['kindnet.iptables', 'loopback-only'],
  ['calico-bgp.legacy', 'policy-block-except'],
  ['calico-vxlan.nftables', 'policy-both-ends'],
];

/** What every change has to pass: two minutes. */
export function shortCases(): readonly LabCase[] {
  // One of each MTU, with a tunnel and without.
  const accompanied = accompaniedCases().filter(({ lab }) =>
    ['flannel-vxlan.iptables.mtu9000', 'calico-bgp.nftables.mtu1400'].includes(lab.name),
  );
  return [...accompanied, ...SHORT.map(shortCase)];
}

function shortCase([clusterName, faultName]: (typeof SHORT)[number]): LabCase {
  const lab = CLUSTERS.find(({ name }) => name === clusterName);
  const fault = FAULTS.find(({ name }) => name === faultName);
  if (lab === undefined || fault?.name !== faultName) throw new Error(`lab: no ${clusterName}/${faultName ?? 'none'}`);
  if (fault === undefined) return { lab, faults: [] };
  if (!fits(fault, lab)) throw new Error(`lab: ${fault.name} does not fit ${lab.name}`);
  return { lab, faults: [fault] };
}

function fits({ fits: check }: Fault, lab: LabCluster): boolean {
  return check?.(new Target(lab)) ?? true;
}
