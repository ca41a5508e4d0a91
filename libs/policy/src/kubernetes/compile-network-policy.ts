import { parseCidr, cidrContains, type Cidr } from '#libs/model';
import { CidrSet } from '../cidr-set.js';
import { both, matchOf, NO, YES } from '../match.js';
import { portHasName, portInRange, type Side } from '../ports.js';
import { intersect, isSelected, within, type Roster, type Selection } from '../roster.js';
import type { Alternative, Condition, Policy, Rule } from '../rules.js';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './network-policy.js';

/** Calico gives NetworkPolicies this order in its default tier; it matters only beside Calico's own policies. */
const KUBERNETES_ORDER = 1000;

export interface CompileOptions {
  readonly roster: Roster;
  readonly tier: string;
  /** False where the enforcer knows pods and nodes by identity and never by address (Cilium): ipBlock is then for outside only. */
  readonly ipBlockMatchesCluster: boolean;
}

/** Compiles one policy; throws a RangeError on a value that only looks right (a prefix that is none). */
export function compileNetworkPolicy({ metadata, spec }: NetworkPolicy, options: CompileOptions): Policy {
  const namespace = metadata.namespace ?? 'default';
  const { roster } = options;
  const types = spec.policyTypes ?? [];
  // Defaulting in pkg/apis/networking/v1 defaults.go: Ingress always, Egress when there are egress rules.
  const isolates = types.length > 0 ? types : ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
  const rules = {
    ingress: (spec.ingress ?? []).map((rule, i) =>
      compileRule(`spec.ingress[${i}]`, 'source', 'from', rule.from ?? [], rule.ports ?? [], namespace, options),
    ),
    egress: (spec.egress ?? []).map((rule, i) =>
      compileRule(`spec.egress[${i}]`, 'destination', 'to', rule.to ?? [], rule.ports ?? [], namespace, options),
    ),
  };
  return {
    ref: { kind: 'NetworkPolicy', namespace, name: metadata.name },
    family: 'kubernetes',
    tier: options.tier,
    order: KUBERNETES_ORDER,
    subject: within(roster.select(spec.podSelector ?? {}), roster.inNamespace(namespace)),
    rules: {
      ...(isolates.includes('Ingress') ? { ingress: rules.ingress } : {}),
      ...(isolates.includes('Egress') ? { egress: rules.egress } : {}),
    },
    spec,
  };
}

/** An empty or missing list of peers or of ports restricts nothing. */
function compileRule(
  path: string,
  side: Side,
  field: 'from' | 'to',
  peers: readonly NetworkPolicyPeer[],
  ports: readonly NetworkPolicyPort[],
  namespace: string,
  options: CompileOptions,
): Rule {
  const conditions: Condition[] = [];
  if (peers.length > 0)
    conditions.push(peers.map((peer, i) => compilePeer(`.${field}[${i}]`, side, peer, namespace, options)));
  if (ports.length > 0) conditions.push(ports.map((port, i) => compilePort(`.ports[${i}]`, port, options.roster)));
  return { action: 'allow', path, conditions };
}

function compilePeer(
  path: string,
  side: Side,
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  namespace: string,
  { roster, ipBlockMatchesCluster }: CompileOptions,
): Alternative {
  if (ipBlock !== null && ipBlock !== undefined) {
    const cidr = cidrOf(ipBlock.cidr);
    const except = new CidrSet((ipBlock.except ?? []).map(cidrOf));
    return {
      path,
      test: (flow) => {
        const { ip, kind } = flow[side];
        if (!ipBlockMatchesCluster && kind !== 'outside') return NO;
        return matchOf(cidrContains(cidr, ip) && !except.contains(ip));
      },
    };
  }
  const selection = selectPods(roster, namespace, podSelector, namespaceSelector);
  return {
    path,
    test: (flow) => isSelected(selection, flow[side]),
    why: 'whether the other end is one of the selected pods',
  };
}

/** Both selectors in one peer select pods AND namespaces; a podSelector alone stays in the policy's own namespace. */
function selectPods(
  roster: Roster,
  namespace: string,
  pods: NetworkPolicyPeer['podSelector'],
  namespaces: NetworkPolicyPeer['namespaceSelector'],
): Selection {
  const selected = roster.select(pods ?? {});
  if (namespaces === null || namespaces === undefined) return within(selected, roster.inNamespace(namespace));
  return intersect(selected, roster.selectNamespaces(namespaces));
}

function compilePort(path: string, { protocol, port, endPort }: NetworkPolicyPort, roster: Roster): Alternative {
  const wanted = (protocol ?? 'TCP').toLowerCase();
  if (typeof port === 'string')
    return {
      path,
      test: (flow) => portHasName(roster, flow, 'destination', port, wanted),
      why: `what the port name ${port} means at the destination`,
    };
  if (typeof port !== 'number') return { path, test: (flow) => matchOf(flow.protocol === wanted) };
  const last = endPort ?? port;
  return {
    path,
    test: (flow) => both(flow.protocol === wanted ? YES : NO, portInRange(flow, 'destination', port, last)),
  };
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${text} is not a prefix`);
  return cidr;
}
