import type { ClusterIndex } from '#libs/cluster';
import { parseCidr, type Cidr, type Ip } from '#libs/model';
import { CidrSet } from '../cidr-set.js';
import { matchLabels, requirementsOf, type LabelSelector } from '../label-selector.js';
import { both, matchOf, MAYBE, NO, YES } from '../match.js';
import { portHasName, portInRange, type Side } from '../ports.js';
import { intersect, isSelected, type Roster, type Selection } from '../roster.js';
import type { Alternative, Condition, Policy, Rule, RuleAction } from '../rules.js';
import type { AdminPeer, AdminPolicy, AdminPort, ClusterProtocol } from './shapes.js';

export const ADMIN_TIER = 'admin';
export const BASELINE_TIER = 'baseline';

const ACTIONS = { Allow: 'allow', Accept: 'allow', Deny: 'deny', Pass: 'pass' } as const;

interface RuleShape {
  readonly action: keyof typeof ACTIONS;
  readonly peers: readonly AdminPeer[];
  readonly ports?: readonly AdminPort[] | null;
  readonly protocols?: readonly ClusterProtocol[] | null;
}

/** Compiles one policy of the network policy API; throws a RangeError on a prefix that is none. */
export function compileAdminPolicy(policy: AdminPolicy, cluster: ClusterIndex, roster: Roster): Policy {
  const { kind, metadata, spec } = policy;
  const baseline =
    kind === 'BaselineAdminNetworkPolicy' || (kind === 'ClusterNetworkPolicy' && policy.spec.tier === 'Baseline');
  const ingress = (spec.ingress ?? []).map(({ from, ...rule }, i) =>
    compileRule(`spec.ingress[${i}]`, 'source', 'from', { ...rule, peers: from }, cluster, roster),
  );
  const egress = (spec.egress ?? []).map(({ to, ...rule }, i) =>
    compileRule(`spec.egress[${i}]`, 'destination', 'to', { ...rule, peers: to }, cluster, roster),
  );
  return {
    ref: { kind, name: metadata.name },
    family: 'admin',
    tier: baseline ? BASELINE_TIER : ADMIN_TIER,
    order: kind === 'BaselineAdminNetworkPolicy' ? 0 : policy.spec.priority,
    subject: selectPods(roster, spec.subject),
    // "CNPs with no ingress rules do not affect ingress traffic": no isolation by being selected.
    rules: { ...(ingress.length > 0 ? { ingress } : {}), ...(egress.length > 0 ? { egress } : {}) },
    spec,
  };
}

function selectPods(roster: Roster, { namespaces, pods }: Pick<AdminPeer, 'namespaces' | 'pods'>): Selection {
  if (pods !== null && pods !== undefined)
    return intersect(roster.select(pods.podSelector ?? {}), roster.selectNamespaces(pods.namespaceSelector ?? {}));
  return roster.selectNamespaces(namespaces ?? {});
}

function compileRule(
  path: string,
  side: Side,
  field: 'from' | 'to',
  { action, peers, ports, protocols }: RuleShape,
  cluster: ClusterIndex,
  roster: Roster,
): Rule {
  const alternatives = peers.map((peer, i) => compilePeer(`.${field}[${i}]`, side, peer, cluster, roster));
  const limits = [
    ...(ports ?? []).map((port, i) => compilePort(`.ports[${i}]`, port, roster)),
    ...(protocols ?? []).map((protocol, i) => compileProtocol(`.protocols[${i}]`, protocol, roster)),
  ];
  const known: readonly Alternative[] = alternatives.flatMap((alternative) => alternative ?? []);
  const knownLimits: readonly Alternative[] = limits.flatMap((limit) => limit ?? []);
  const meant: RuleAction = ACTIONS[action];
  if (known.length < alternatives.length || knownLimits.length < limits.length) return failClosed(path, meant);
  const conditions: Condition[] = [known];
  if (limits.length > 0) conditions.push(knownLimits);
  return { action: meant, path, conditions };
}

/** "For Allow rules, fail closed means: matching no traffic. For Deny and Pass rules: a Deny all rule." */
function failClosed(path: string, action: RuleAction): Rule {
  return action === 'allow' ? { action, path, conditions: [[]] } : { action: 'deny', path, conditions: [] };
}

/** Undefined when no field is set that is known here. */
function compilePeer(
  path: string,
  side: Side,
  peer: AdminPeer,
  cluster: ClusterIndex,
  roster: Roster,
): Alternative | undefined {
  const { namespaces, pods, nodes, networks, domainNames } = peer;
  if (isSet(namespaces) || isSet(pods)) {
    const selection = selectPods(roster, peer);
    return {
      path,
      test: (flow) => isSelected(selection, flow[side]),
      why: 'whether the other end is one of the selected pods',
    };
  }
  if (isSet(networks)) {
    const nets = new CidrSet(networks.map(cidrOf));
    return { path, test: (flow) => matchOf(nets.contains(flow[side].ip)) };
  }
  if (isSet(nodes)) {
    const addresses = nodeAddresses(cluster, nodes);
    return { path, test: (flow) => matchOf(addresses.has(flow[side].ip)) };
  }
  if (isSet(domainNames))
    return {
      path,
      // A name may stand for any address outside; which, only the resolver's answers tell.
      test: (flow) => (flow[side].kind === 'outside' ? MAYBE : NO),
      why: `whether the address belongs to ${domainNames.join(', ')}`,
    };
  return undefined;
}

function nodeAddresses(cluster: ClusterIndex, selector: LabelSelector): ReadonlySet<Ip> {
  const requirements = requirementsOf(selector);
  const selected = [...cluster.nodes.values()].filter(
    ({ labels }) => matchLabels(requirements, { labels: new Map(Object.entries(labels)), complete: true }) === YES,
  );
  return new Set(selected.flatMap(({ addresses }) => addresses));
}

function compilePort(path: string, { portNumber, portRange, namedPort }: AdminPort, roster: Roster) {
  if (isSet(portNumber)) return range(path, portNumber.protocol ?? 'TCP', portNumber.port, portNumber.port);
  if (isSet(portRange)) return range(path, portRange.protocol ?? 'TCP', portRange.start, portRange.end);
  return isSet(namedPort) ? named(path, namedPort, roster) : undefined;
}

function compileProtocol(
  path: string,
  { tcp, udp, sctp, destinationNamedPort }: ClusterProtocol,
  roster: Roster,
): Alternative | undefined {
  if (isSet(destinationNamedPort)) return named(path, destinationNamedPort, roster);
  const [name, shape] = isSet(tcp) ? ['TCP', tcp] : isSet(udp) ? ['UDP', udp] : ['SCTP', sctp];
  if (!isSet(shape)) return undefined;
  const port = shape.destinationPort;
  if (!isSet(port)) return { path, test: (flow) => matchOf(flow.protocol === name.toLowerCase()) };
  if (isSet(port.number)) return range(path, name, port.number, port.number);
  return isSet(port.range) ? range(path, name, port.range.start, port.range.end) : undefined;
}

function range(path: string, protocol: string, from: number, to: number): Alternative {
  const wanted = protocol.toLowerCase();
  return {
    path,
    test: (flow) => both(flow.protocol === wanted ? YES : NO, portInRange(flow, 'destination', from, to)),
  };
}

function named(path: string, name: string, roster: Roster): Alternative {
  return {
    path,
    test: (flow) => portHasName(roster, flow, 'destination', name, undefined),
    why: `what the port name ${name} means at the destination`,
  };
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${text} is not a prefix`);
  return cidr;
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
