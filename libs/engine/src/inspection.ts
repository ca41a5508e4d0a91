import type { ClusterIndex } from '#libs/cluster';
import { cidrContains, type Evidence, type Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { CniNetwork, Finding } from '#libs/provider-kit';

/** What is not in order in a namespace, whatever packet comes: what every Linux host needs, and what the CNI plugin promises. */
export class Inspection {
  private readonly known = new Map<NetNamespace, readonly Finding[]>();

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly namespaces: ReadonlyMap<string, NetNamespace>,
    private readonly cni: CniNetwork,
  ) {}

  /** Computed once per namespace. */
  of(ns: NetNamespace): readonly Finding[] {
    let findings = this.known.get(ns);
    if (findings === undefined) this.known.set(ns, (findings = [...ruleFindings(ns), ...this.promises(ns)]));
    return findings;
  }

  /** The namespace of the node that a pod runs on. */
  nodeOf(pod: NetNamespace): NetNamespace | undefined {
    return pod.place.node === undefined ? undefined : this.namespaces.get(`node/${pod.place.node}`);
  }

  private promises(ns: NetNamespace): readonly Finding[] {
    if (ns.place.kind === 'node') return this.cni.inspectNode(ns, (name) => this.namespaces.get(`node/${name}`));
    const pod = this.cluster.pods.get(`${ns.place.namespace ?? ''}/${ns.place.name}`);
    return ns.place.kind === 'pod' && pod !== undefined ? this.cni.inspectPod(ns, this.nodeOf(ns)) : [];
  }
}

/** Whether a finding matters to a packet with these addresses. */
export function concerns(finding: Finding, addresses: readonly Ip[]): boolean {
  const { concerns: network } = finding;
  return network === undefined || addresses.some((ip) => cidrContains(network, ip));
}

/** Every host has a rule that leads to table main (fib_default_rules_init()); without it no route of it counts. */
function ruleFindings(ns: NetNamespace): Finding[] {
  const routing = ns.routing(4);
  if (routing === undefined || routing.rules.some(({ table }) => table === 'main')) return [];
  const evidence: Evidence = {
    kind: 'policy-rule',
    at: ns.place,
    locator: 'rule/32766',
    text: 'missing: 32766: from all lookup main',
  };
  return [{ code: 'RULE_MISSING', subject: ns.place, evidence: [evidence], details: { table: 'main' } }];
}
