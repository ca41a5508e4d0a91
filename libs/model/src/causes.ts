import type { Evidence } from './evidence.js';
import type { Suspicion } from './suspicion.js';
import type { SuspicionCode } from './suspicion-codes.js';

type Relation = (symptom: Suspicion, cause: Suspicion) => boolean;

/** These follow from those, when the relation holds between the two findings. */
interface Rule {
  readonly symptoms: readonly SuspicionCode[];
  readonly causes: readonly SuspicionCode[];
  readonly when: Relation;
}

const MISSING_ROUTES = [
  'NO_ROUTE',
  'NEXTHOP_DEAD',
  'POD_CIDR_ROUTE_MISSING',
  'POD_ROUTE_MISSING',
  'LOCAL_ROUTE_MISSING',
  'ROUTE_WRONG_DEVICE',
] as const;
const MISLEADING_ROUTES = ['ROUTE_WRONG_DEVICE', 'ROUTE_WRONG_GATEWAY', 'ROUTE_SHADOWED', 'RULE_DIVERTS'] as const;
const MISPLACED_ROUTES = [...MISLEADING_ROUTES, 'RULE_MISSING', 'LOCAL_ROUTE_MISSING'] as const;
const WRONG_ROUTES = [...MISSING_ROUTES, ...MISLEADING_ROUTES, 'LOCAL_ADDRESS_HIJACK'] as const;
const UNTRANSLATED = ['MASQUERADE_MISSING', 'HAIRPIN_MASQUERADE_MISSING', 'BRIDGE_NF_CALL_OFF'] as const;
const BROKEN_DEVICES = [
  'IFACE_MISSING',
  'IFACE_DOWN',
  'CARRIER_DOWN',
  'TUNNEL_DEVICE_MISSING',
  'ADDRESS_MISSING',
] as const;
/** A port that is not where it belongs cuts its pod off. */
const BROKEN_PORTS = ['NO_MASTER', 'WRONG_MASTER', 'BRIDGE_PORT_BLOCKED', 'VLAN_FILTERED'] as const;
const MUTE_DEVICES = [...BROKEN_DEVICES, 'ARP_OFF', 'ARP_IGNORED'] as const;
const EMPTY_SERVICES = [
  'NO_ENDPOINTS',
  'NO_READY_ENDPOINTS',
  'SELECTOR_MATCHES_NOTHING',
  'EXTERNAL_POLICY_LOCAL_NO_ENDPOINT',
  'INTERNAL_POLICY_LOCAL_NO_ENDPOINT',
  'SOURCE_RANGE_DENIED',
] as const;
const POLICIES = [
  'POLICY_DENIED_INGRESS',
  'POLICY_DENIED_EGRESS',
  'CALICO_POLICY_DENIED',
  'ADMIN_POLICY_DENIED',
  'POLICY_STALE',
] as const;

const REFUSING_ROUTES = ['ROUTE_BLACKHOLE', 'ROUTE_UNREACHABLE', 'ROUTE_PROHIBIT', 'RULE_PROHIBIT'] as const;
const RULE_DROPS = ['FILTER_DROP', 'FILTER_REJECT', 'CHAIN_POLICY_DROP'] as const;
const SERVICE_PORTS = [
  'PROXY_RULES_MISSING',
  'PROXY_STALE_ENDPOINT',
  'PROXY_ENDPOINT_MISSING',
  'IPVS_SERVICE_MISSING',
  'IPVS_SERVER_MISSING',
  'IPVS_SERVER_EXTRA',
  'IPVS_ADDRESS_MISSING',
] as const;

const RULES: readonly Rule[] = [
  // The kernel drops the routes of a device that goes down, and the entries that an agent wrote for it.
  { symptoms: MISSING_ROUTES, causes: BROKEN_DEVICES, when: mentionsDevice },
  { symptoms: ['NO_ROUTE'], causes: ['IFACE_MISSING', 'IFACE_DOWN', 'TUNNEL_DEVICE_MISSING'], when: onSameHost },
  { symptoms: ['NEIGH_MISSING', 'FDB_MISSING'], causes: BROKEN_DEVICES, when: onSameInterface },
  // A host whose device is broken, or that may not, does not answer ARP.
  { symptoms: ['NEIGH_FAILED', 'NEIGH_INCOMPLETE'], causes: MUTE_DEVICES, when: mentionsDevice },
  { symptoms: ['NEIGH_FAILED', 'NEIGH_INCOMPLETE'], causes: MUTE_DEVICES, when: isPodAndNode },
  { symptoms: ['NEIGH_FAILED', 'NEIGH_INCOMPLETE'], causes: [...BROKEN_PORTS, 'IFACE_DOWN'], when: onSameHost },
  { symptoms: ['CARRIER_DOWN'], causes: ['IFACE_DOWN'], when: isPodAndNode },
  { symptoms: ['NEIGH_FAILED', 'NEIGH_INCOMPLETE'], causes: MUTE_DEVICES, when: mentionsNeighbour },
  { symptoms: ['NEIGH_FAILED', 'NEIGH_INCOMPLETE'], causes: MISPLACED_ROUTES, when: onSameHost },
  { symptoms: ['MAC_MISMATCH'], causes: ['NEIGH_WRONG_MAC'], when: always },
  { symptoms: ['NEIGH_MISSING'], causes: ['MAC_MISMATCH'], when: onSameInterface },
  // The way back to a source is missing together with the way there.
  { symptoms: ['RP_FILTER_DROP'], causes: [...BROKEN_DEVICES, ...BROKEN_PORTS], when: onSameInterface },
  { symptoms: ['RP_FILTER_DROP'], causes: [...REFUSING_ROUTES, ...MISSING_ROUTES], when: hasNoWayBack },
  { symptoms: ['RP_FILTER_DROP'], causes: REFUSING_ROUTES, when: sharesText },
  // A packet on a wrong way is lost, comes back, or meets a firewall that has not seen its connection.
  {
    symptoms: ['CLOUD_NO_ROUTE', 'ROUTING_LOOP', 'RP_FILTER_DROP', 'TTL_EXCEEDED'],
    causes: WRONG_ROUTES,
    when: sharesText,
  },
  { symptoms: ['TTL_EXCEEDED'], causes: ['ROUTING_LOOP'], when: always },
  { symptoms: ['CONNTRACK_INVALID_DROP', 'ASYMMETRIC_ROUTE'], causes: MISLEADING_ROUTES, when: always },
  { symptoms: ['CONNTRACK_INVALID_DROP'], causes: REFUSING_ROUTES, when: onSameHost },
  { symptoms: RULE_DROPS, causes: EMPTY_SERVICES, when: sharesText },
  { symptoms: RULE_DROPS, causes: POLICIES, when: sharesText },
  { symptoms: RULE_DROPS, causes: ['IPSET_STALE', 'IPSET_MISSING'], when: onSameHost },
  { symptoms: ['WRONG_SOURCE_ADDRESS', 'ASYMMETRIC_ROUTE'], causes: UNTRANSLATED, when: always },
  { symptoms: ['PMTU_BLACKHOLE'], causes: ['MTU_MISMATCH', 'MTU_OVERLAY_TOO_BIG'], when: sharesPlace },
  { symptoms: SERVICE_PORTS, causes: ['PROXY_NOT_SYNCED'], when: isShownOnNode },
];

/**
 * Which findings follow from which others: by fingerprint of the symptom, the finding that it follows from in the end.
 * The symptom goes away by itself when the cause does, so a person need not look at it.
 */
export function linkCauses(suspicions: readonly Suspicion[]): ReadonlyMap<string, Suspicion> {
  const known = new Map(suspicions.map((suspicion) => [suspicion.fingerprint, suspicion]));
  const direct = new Map<Suspicion, Suspicion>();
  for (const symptom of suspicions) {
    // Whoever found it knows better than a rule.
    const told = symptom.because === undefined ? undefined : known.get(symptom.because);
    const cause = told ?? byRules(symptom, suspicions);
    if (cause !== undefined && cause !== symptom) direct.set(symptom, cause);
  }
  return new Map([...direct.keys()].map((symptom) => [symptom.fingerprint, rootOf(symptom, direct)]));
}

function byRules(symptom: Suspicion, suspicions: readonly Suspicion[]): Suspicion | undefined {
  const rules = RULES.filter(({ symptoms }) => symptoms.includes(symptom.code));
  return suspicions.find(
    (other) =>
      other !== symptom && rules.some(({ causes, when }) => causes.includes(other.code) && when(symptom, other)),
  );
}

/** Follows cause after cause to the one that follows from nothing. */
function rootOf(symptom: Suspicion, direct: ReadonlyMap<Suspicion, Suspicion>): Suspicion {
  const seen = new Set<Suspicion>();
  let root = symptom;
  // The rules have no circle; were one added, it must not hang a renderer.
  for (let next = direct.get(root); next !== undefined && !seen.has(next); next = direct.get(root)) {
    seen.add(next);
    root = next;
  }
  return root;
}

function always(): boolean {
  return true;
}

function isSamePlace(a: Suspicion['subject'], b: Suspicion['subject']): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

function onSameHost({ subject: a }: Suspicion, { subject: b }: Suspicion): boolean {
  return isSamePlace(a, b);
}

function onSameInterface({ subject: a }: Suspicion, { subject: b }: Suspicion): boolean {
  return isSamePlace(a, b) && a.interface === b.interface;
}

/** One is a pod, the other the node that it runs on: they share a segment, and the node is the gateway of the pod. */
function isPodAndNode({ subject: a }: Suspicion, { subject: b }: Suspicion): boolean {
  const [pod, node] = a.kind === 'pod' ? [a, b] : [b, a];
  return pod.kind === 'pod' && node.kind === 'node' && pod.node === node.name;
}

/** Reverse path filtering that shows the setting only has found no route to the source at all. */
function hasNoWayBack(symptom: Suspicion, cause: Suspicion): boolean {
  return symptom.evidence.every(({ kind }) => kind !== 'route') && onSameHost(symptom, cause);
}

/** The symptom's route or entry is of the device that is broken on the same host. */
function mentionsDevice(symptom: Suspicion, { subject }: Suspicion): boolean {
  const { interface: device } = subject;
  if (device === undefined || !isSamePlace(symptom.subject, subject)) return false;
  return symptom.evidence.some(({ text }) => text.split(/\s+/).includes(device));
}

/** The cause shows the address that nobody answers for; entries stand at `neigh/eth0/10.0.0.1`. */
function mentionsNeighbour(symptom: Suspicion, { evidence }: Suspicion): boolean {
  const asked = symptom.evidence.flatMap(({ kind, locator }) =>
    kind === 'neighbour' ? locator.split('/').slice(2) : [],
  );
  const words = evidence.flatMap(({ text }) => text.split(/[\s/,;]+/));
  return asked.some((address) => words.includes(address));
}

/** Both show the same line of the same host. */
function sharesText(symptom: Suspicion, cause: Suspicion): boolean {
  const known = new Set(cause.evidence.map(lineOf));
  return symptom.evidence.some((line) => known.has(lineOf(line)));
}

function lineOf({ at, text }: Evidence): string {
  return `${at.kind} ${at.namespace ?? ''} ${at.name} ${text}`;
}

function sharesPlace(symptom: Suspicion, cause: Suspicion): boolean {
  const shown = (line: Evidence): string =>
    `${line.at.kind} ${line.at.namespace ?? ''} ${line.at.name} ${line.locator}`;
  const known = new Set(cause.evidence.map(shown));
  return onSameInterface(symptom, cause) || symptom.evidence.some((line) => known.has(shown(line)));
}

/** Findings about a service name their node in the evidence. */
function isShownOnNode({ evidence }: Suspicion, { subject }: Suspicion): boolean {
  return evidence.some(({ at }) => at.kind === 'node' && at.name === subject.name);
}
