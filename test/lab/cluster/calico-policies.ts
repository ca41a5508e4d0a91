import { comment } from './rule-set.js';
import {
  isGlobal,
  nameOf,
  podsOfPeer,
  selects,
  shortHash,
  type Direction,
  type PolicyPeer,
  type PolicyPort,
  type PolicyRule,
  type PolicySpec,
} from './network-policy.js';
import type { ClusterSpec, PodSpec } from './spec.js';

const ACCEPTED = '0x10000/0x10000';
export const IF_ACCEPTED = `-m mark --mark ${ACCEPTED}`;
export const ACCEPT_MARK = `-j MARK --set-xmark ${ACCEPTED}`;
/** Felix's first scratch mark: all parts of a rule that takes several of them have matched. */
const ALL_PARTS = '0x40000/0x40000';

export interface PolicySet {
  readonly name: string;
  readonly type: 'hash:net' | 'hash:ip,port';
  readonly members: readonly string[];
}

/** The chain that Felix renders a direction of a policy into (felix/rules/policy.go): its lines, without Felix's ids. */
export function policyLines(policy: PolicySpec, direction: Direction, cluster: ClusterSpec): readonly string[] {
  return (policy[direction] ?? []).flatMap((rule) => ruleLines({ policy, direction, cluster }, rule));
}

/** The sets that those lines name. */
export function policySets(policy: PolicySpec, cluster: ClusterSpec): readonly PolicySet[] {
  const sets = (['ingress', 'egress'] as const).flatMap((direction) =>
    (policy[direction] ?? []).flatMap((rule) => setsOf({ policy, direction, cluster }, rule)),
  );
  return [...new Map(sets.map((set) => [set.name, set])).values()];
}

/** `cali-pi-_…`: names that are too long for a chain are hashed. */
export function policyChain(policy: PolicySpec, direction: Direction): string {
  return `cali-p${direction === 'ingress' ? 'i' : 'o'}-_${shortHash(nameOf(policy)).slice(0, 16)}`;
}

interface Context {
  readonly policy: PolicySpec;
  readonly direction: Direction;
  readonly cluster: ClusterSpec;
}

/** Calico has one rule for each peer with each port. */
function ruleLines(context: Context, { action = 'Allow', peers, ports }: PolicyRule): readonly string[] {
  const { policy, direction } = context;
  const what = comment(`Policy ${nameOf(policy)} ${direction}`);
  return (peers ?? [undefined]).flatMap((peer) =>
    (ports ?? [undefined]).flatMap((port) => {
      const [before, from] = peerMatch(context, peer);
      const words = [
        ...(port === undefined ? [] : [`-p ${port.protocol}`]),
        what,
        ...from,
        ...portMatch(context, peer, port),
      ];
      return action === 'Deny'
        ? [...before, `${words.join(' ')} -j DROP`]
        : [...before, `${words.join(' ')} ${ACCEPT_MARK}`, `${IF_ACCEPTED} -j RETURN`];
    }),
  );
}

/** Lines that go before, and the match. What a rule excepts needs lines of its own. */
function peerMatch(context: Context, peer: PolicyPeer | undefined): [readonly string[], readonly string[]] {
  const [flag, side] = context.direction === 'ingress' ? ['-s', 'src'] : ['-d', 'dst'];
  if (peer === undefined) return [[], []];
  if (!('cidr' in peer)) return [[], [`-m set --match-set ${peerSet(context, peer).name} ${side}`]];
  const { cidr, except = [] } = peer;
  if (except.length === 0) return [[], [`${flag} ${cidr}`]];
  return [
    [
      '-j MARK --set-xmark 0x0/0xc0000',
      `${flag} ${cidr} -j MARK --set-xmark ${ALL_PARTS}`,
      ...except.map((part) => `${flag} ${part} -j MARK --set-xmark 0x0/0x40000`),
    ],
    [`-m mark --mark ${ALL_PARTS}`],
  ];
}

function portMatch(
  context: Context,
  peer: PolicyPeer | undefined,
  { protocol, port, endPort }: Partial<PolicyPort> = {},
): readonly string[] {
  if (protocol === undefined || port === undefined) return [];
  if (typeof port === 'string') return [`-m set --match-set ${namedSet(context, peer, protocol, port).name} dst,dst`];
  return [`-m multiport --dports ${endPort === undefined ? port : `${port}:${endPort}`}`];
}

function setsOf(context: Context, { peers, ports = [] }: PolicyRule): readonly PolicySet[] {
  return (peers ?? [undefined]).flatMap((peer) => [
    ...(peer === undefined || 'cidr' in peer ? [] : [peerSet(context, peer)]),
    ...ports.flatMap(({ protocol, port }) =>
      typeof port === 'string' ? [namedSet(context, peer, protocol, port)] : [],
    ),
  ]);
}

function peerSet({ policy, cluster }: Context, peer: Exclude<PolicyPeer, { cidr: string }>): PolicySet {
  const { podLabels = {}, namespace = isGlobal(policy) ? '*' : policy.namespace } = peer;
  return {
    name: `cali40s:${shortHash(JSON.stringify([podLabels, namespace])).slice(0, 23)}`,
    type: 'hash:net',
    members: podsOfPeer(peer, policy, cluster).map(({ address }) => address),
  };
}

/** Where a named port is: at the pods that the packet may go to. */
function namedSet(
  { policy, direction, cluster }: Context,
  peer: PolicyPeer | undefined,
  ...port: [string, string]
): PolicySet {
  const [protocol, name] = port;
  const targets: readonly PodSpec[] =
    direction === 'ingress'
      ? cluster.pods.filter((pod) => pod.hostNetwork !== true && selects(policy, pod))
      : podsOfPeer(peer === undefined || 'cidr' in peer ? { namespace: '*' } : peer, policy, cluster);
  const members = targets.flatMap(({ address, ports }) =>
    ports
      .filter((one) => one.name === name && one.protocol === protocol)
      .map((one) => `${address},${protocol}:${one.port}`),
  );
  const key = JSON.stringify([nameOf(policy), direction, peer ?? null, protocol, name]);
  return { name: `cali40n:${shortHash(key).slice(0, 23)}`, type: 'hash:ip,port', members };
}
