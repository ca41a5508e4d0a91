import { BlockList, isIPv6 } from 'node:net';

/**
 * The answer of somebody who has only read the API documentation: no index, no compilation, strings and loops. Test code; it shares nothing
 * with libs/policy. Objects are plain JSON, as the API server returns them.
 */
type Json = any;

export interface World {
  readonly namespaces: Json[];
  readonly pods: Json[];
  readonly nodes: Json[];
  readonly policies: Json[];
  readonly networkSets?: Json[];
  readonly tiers?: Json[];
}

export interface Side {
  readonly ip: string;
  /** The pod object, when the address is a pod's that is not on the host's network. */
  readonly pod?: Json;
}

export interface Question {
  readonly from: Side;
  readonly to: Side;
  readonly protocol: string;
  readonly port: number;
  readonly sourcePort?: number;
}

export type Answer = 'allow' | 'deny';

export function answer(world: World, question: Question): { egress: Answer; ingress: Answer } {
  return { egress: one(world, question, 'Egress'), ingress: one(world, question, 'Ingress') };
}

function one(world: World, question: Question, type: 'Ingress' | 'Egress'): Answer {
  const subject = type === 'Ingress' ? question.to : question.from;
  const peer = type === 'Ingress' ? question.from : question.to;
  if (!subject.pod) return 'allow';
  if (peer.pod === subject.pod) return 'allow';
  const ownNode = world.nodes.find((node) => node.metadata.name === subject.pod.spec.nodeName);
  const calico = world.policies.some((policy) => isCalico(policy));
  if (ownNode && ownNode.status.addresses.some((a: Json) => a.address === peer.ip))
    if (type === 'Ingress' || !calico) return 'allow';
  const tiers = [
    { name: 'adminnetworkpolicy', order: 1000, last: 'Pass', policies: world.policies.filter(isAdmin) },
    {
      name: 'baselineadminnetworkpolicy',
      order: 10_000_000,
      last: 'Pass',
      policies: world.policies.filter(isBaseline),
    },
    {
      name: 'default',
      order: 1_000_000,
      last: 'Deny',
      policies: world.policies.filter(
        (policy) => isPlain(policy) || (isCalico(policy) && (policy.spec.tier ?? 'default') === 'default'),
      ),
    },
    ...(world.tiers ?? []).map((tier) => ({
      name: tier.metadata.name,
      order: tier.spec.order ?? Infinity,
      last: tier.spec.defaultAction ?? 'Deny',
      policies: world.policies.filter((policy) => isCalico(policy) && policy.spec.tier === tier.metadata.name),
    })),
  ].sort((a, b) => (a.order === b.order ? (a.name < b.name ? -1 : 1) : a.order < b.order ? -1 : 1));
  nextTier: for (const tier of tiers) {
    const mine = tier.policies
      .filter((policy) => selectsSubject(world, policy, subject.pod, type))
      .sort((a, b) => rank(a) - rank(b) || cmp(nameOf(a), nameOf(b)));
    for (const policy of mine)
      for (const rule of rulesOf(policy, type)) {
        const action = isPlain(policy) ? 'Allow' : rule.action;
        if (!ruleMatches(world, policy, rule, question, type, subject)) continue;
        if (action === 'Allow' || action === 'Accept') return 'allow';
        if (action === 'Deny') return 'deny';
        if (action === 'Pass') continue nextTier;
      }
    if (mine.length > 0 && tier.last === 'Deny') return 'deny';
  }
  return 'allow';
}

const isPlain = (policy: Json) => policy.apiVersion === 'networking.k8s.io/v1';
const isCalico = (policy: Json) => policy.apiVersion === 'projectcalico.org/v3';
const isAdmin = (policy: Json) =>
  policy.kind === 'AdminNetworkPolicy' || (policy.kind === 'ClusterNetworkPolicy' && policy.spec.tier === 'Admin');
const isBaseline = (policy: Json) =>
  policy.kind === 'BaselineAdminNetworkPolicy' ||
  (policy.kind === 'ClusterNetworkPolicy' && policy.spec.tier === 'Baseline');
const cmp = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
const nameOf = (policy: Json) => `${policy.metadata.namespace ?? ''}/${policy.metadata.name}`;

function rank(policy: Json): number {
  if (isPlain(policy)) return 1000;
  if (isCalico(policy)) return policy.spec.order ?? Number.MAX_VALUE;
  return policy.spec.priority ?? 0;
}

function rulesOf(policy: Json, type: 'Ingress' | 'Egress'): Json[] {
  return (type === 'Ingress' ? policy.spec.ingress : policy.spec.egress) ?? [];
}

function selectsSubject(world: World, policy: Json, pod: Json, type: string): boolean {
  if (isPlain(policy)) {
    let types = policy.spec.policyTypes;
    if (!types || types.length === 0) types = policy.spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
    if (!types.includes(type)) return false;
    if (policy.metadata.namespace !== pod.metadata.namespace) return false;
    return labelsFit(policy.spec.podSelector, pod.metadata.labels);
  }
  if (isCalico(policy)) {
    if (policy.spec.types && !policy.spec.types.includes(type)) return false;
    if (policy.kind === 'NetworkPolicy' && policy.metadata.namespace !== pod.metadata.namespace) return false;
    if (policy.spec.doNotTrack || policy.spec.preDNAT) return false;
    if (policy.spec.namespaceSelector && !says(policy.spec.namespaceSelector, namespaceLabels(world, pod)))
      return false;
    return says(policy.spec.selector ?? 'all()', calicoLabels(pod));
  }
  if (rulesOf(policy, type as 'Ingress').length === 0) return false;
  const { namespaces, pods } = policy.spec.subject;
  if (namespaces) return labelsFit(namespaces, namespaceLabels(world, pod));
  return (
    labelsFit(pods.namespaceSelector, namespaceLabels(world, pod)) && labelsFit(pods.podSelector, pod.metadata.labels)
  );
}

function namespaceLabels(world: World, pod: Json): Json {
  return world.namespaces.find((ns) => ns.metadata.name === pod.metadata.namespace)?.metadata.labels ?? {};
}

function labelsFit(selector: Json, labels: Json): boolean {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) if (labels[key] !== value) return false;
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    const has = Object.hasOwn(labels, key);
    if (operator === 'Exists' && !has) return false;
    if (operator === 'DoesNotExist' && has) return false;
    if (operator === 'In' && !(has && values.includes(labels[key]))) return false;
    if (operator === 'NotIn' && has && values.includes(labels[key])) return false;
  }
  return true;
}

function ruleMatches(world: World, policy: Json, rule: Json, q: Question, type: string, subject: Side): boolean {
  if (isCalico(policy)) return calicoRuleMatches(world, policy, rule, q);
  const peer = type === 'Ingress' ? q.from : q.to;
  const peers = (type === 'Ingress' ? rule.from : rule.to) ?? [];
  if (peers.length > 0 && !peers.some((p: Json) => peerFits(world, policy, p, peer))) return false;
  if (isPlain(policy)) {
    const ports = rule.ports ?? [];
    return ports.length === 0 || ports.some((port: Json) => plainPortFits(port, q));
  }
  if (rule.ports && !rule.ports.some((port: Json) => adminPortFits(port, q))) return false;
  if (rule.protocols && !rule.protocols.some((protocol: Json) => clusterProtocolFits(protocol, q))) return false;
  return subject !== undefined;
}

function peerFits(world: World, policy: Json, p: Json, peer: Side): boolean {
  if (p.ipBlock)
    return inCidr(p.ipBlock.cidr, peer.ip) && !(p.ipBlock.except ?? []).some((e: string) => inCidr(e, peer.ip));
  if (p.networks) return p.networks.some((net: string) => inCidr(net, peer.ip));
  if (p.nodes)
    return world.nodes.some(
      (node) =>
        labelsFit(p.nodes, node.metadata.labels) && node.status.addresses.some((a: Json) => a.address === peer.ip),
    );
  const pod = peer.pod;
  if (!pod) return false;
  if (p.namespaces) return labelsFit(p.namespaces, namespaceLabels(world, pod));
  if (p.pods)
    return (
      labelsFit(p.pods.namespaceSelector, namespaceLabels(world, pod)) &&
      labelsFit(p.pods.podSelector, pod.metadata.labels)
    );
  if (p.namespaceSelector) {
    if (!labelsFit(p.namespaceSelector, namespaceLabels(world, pod))) return false;
  } else if (pod.metadata.namespace !== policy.metadata.namespace) return false;
  return !p.podSelector || labelsFit(p.podSelector, pod.metadata.labels);
}

function plainPortFits({ protocol = 'TCP', port, endPort }: Json, q: Question): boolean {
  if (protocol.toLowerCase() !== q.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'string')
    return named(q.to.pod, port).some((p) => p.protocol === protocol && p.containerPort === q.port);
  return q.port >= port && q.port <= (endPort ?? port);
}

function adminPortFits({ portNumber, portRange, namedPort }: Json, q: Question): boolean {
  if (portNumber) return (portNumber.protocol ?? 'TCP').toLowerCase() === q.protocol && portNumber.port === q.port;
  if (portRange)
    return (
      (portRange.protocol ?? 'TCP').toLowerCase() === q.protocol && portRange.start <= q.port && q.port <= portRange.end
    );
  return named(q.to.pod, namedPort).some((p) => p.protocol.toLowerCase() === q.protocol && p.containerPort === q.port);
}

function clusterProtocolFits(entry: Json, q: Question): boolean {
  if (entry.destinationNamedPort) return adminPortFits({ namedPort: entry.destinationNamedPort }, q);
  const name = Object.keys(entry)[0] ?? '';
  if (name !== q.protocol) return false;
  const port = entry[name].destinationPort;
  if (!port) return true;
  return port.number ? port.number === q.port : port.range.start <= q.port && q.port <= port.range.end;
}

function named(pod: Json, name: string): Json[] {
  if (!pod) return [];
  return pod.spec.containers.flatMap((container: Json) => container.ports ?? []).filter((p: Json) => p.name === name);
}

const lists = new Map<string, BlockList>();
function inCidr(cidr: string, ip: string): boolean {
  const [net = '', length] = cidr.split('/');
  const family = isIPv6(net) ? 'ipv6' : 'ipv4';
  if (isIPv6(ip) !== isIPv6(net)) return false;
  let list = lists.get(cidr);
  if (!list) {
    list = new BlockList();
    list.addSubnet(net, Number(length ?? (family === 'ipv6' ? 128 : 32)), family);
    lists.set(cidr, list);
  }
  return list.check(ip, family);
}

// Calico: selectors are given to this evaluator as trees and to Hopscope as text.

/** A selector as a tree: ['==', key, value], ['in', key, values], ['has', key], ['!', s], ['&&', ...s], ['||', ...s], ['all']. */
export type Tree = readonly unknown[];
const trees = new Map<string, Tree>();

export function printSelector(tree: Tree): string {
  const text = print(tree);
  trees.set(text, tree);
  return text;
}

function print([head, ...rest]: Tree): string {
  const quoted = (value: unknown) => `'${String(value)}'`;
  switch (head) {
    case 'all':
    case 'global':
      return `${head}()`;
    case 'has':
      return `has(${String(rest[0])})`;
    case 'in':
    case 'not in':
      return `${String(rest[0])} ${head} {${(rest[1] as unknown[]).map(quoted).join(', ')}}`;
    case '!':
      return `!(${print(rest[0] as Tree)})`;
    case '&&':
    case '||':
      return rest.map((part) => `(${print(part as Tree)})`).join(` ${head} `);
    default:
      return `${String(rest[0])} ${String(head)} ${quoted(rest[1])}`;
  }
}

function says(text: string, labels: Json): boolean {
  const tree = trees.get(text);
  if (!tree) {
    if (text === 'all()') return true;
    throw new Error(`no tree was printed as ${text}`);
  }
  return holds(tree, labels);
}

function holds([head, ...rest]: Tree, labels: Json): boolean {
  const key = String(rest[0]);
  const value: unknown = labels[key];
  switch (head) {
    case 'all':
      return true;
    case 'global':
      return !('projectcalico.org/namespace' in labels);
    case 'has':
      return key in labels;
    case '==':
      return value === rest[1];
    case '!=':
      return value !== rest[1];
    case 'in':
      return (rest[1] as unknown[]).includes(value);
    case 'not in':
      return !(rest[1] as unknown[]).includes(value);
    case 'contains':
      return typeof value === 'string' && value.includes(String(rest[1]));
    case 'starts with':
      return typeof value === 'string' && value.startsWith(String(rest[1]));
    case 'ends with':
      return typeof value === 'string' && value.endsWith(String(rest[1]));
    case '!':
      return !holds(rest[0] as Tree, labels);
    case '&&':
      return rest.every((part) => holds(part as Tree, labels));
    case '||':
      return rest.some((part) => holds(part as Tree, labels));
    default:
      throw new Error(`unknown ${String(head)}`);
  }
}

/** all() and global() ask whether there is a namespace; what has none has no namespace labels either, which a negation matches. */
function saysOfNamespace(world: World, text: string, ns: string | undefined): boolean {
  const found = world.namespaces.find((n) => n.metadata.name === ns)?.metadata.labels ?? {};
  const there = (tree: Tree): Tree => {
    if (tree[0] === 'all') return ['has', 'is-namespaced'];
    if (tree[0] === 'global') return ['!', ['has', 'is-namespaced']];
    const nested = tree[0] === '!' || tree[0] === '&&' || tree[0] === '||';
    return nested ? [tree[0], ...tree.slice(1).map((part) => there(part as Tree))] : tree;
  };
  return holds(there(trees.get(text) ?? ['all']), ns === undefined ? {} : { ...found, 'is-namespaced': '' });
}

function calicoLabels(pod: Json): Json {
  return {
    ...pod.metadata.labels,
    'projectcalico.org/namespace': pod.metadata.namespace,
    'projectcalico.org/orchestrator': 'k8s',
    'projectcalico.org/serviceaccount': pod.spec.serviceAccountName,
  };
}

function calicoRuleMatches(world: World, policy: Json, rule: Json, q: Question): boolean {
  if (rule.action === 'Log') return false;
  if (rule.ipVersion && (rule.ipVersion === 6) !== isIPv6(q.to.ip)) return false;
  if (rule.protocol && rule.protocol.toLowerCase() !== q.protocol) return false;
  if (rule.notProtocol && rule.notProtocol.toLowerCase() === q.protocol) return false;
  const namespace = policy.kind === 'NetworkPolicy' ? policy.metadata.namespace : undefined;
  return (
    entityFits(world, namespace, rule.source ?? {}, q.from, q.sourcePort ?? 0, q) &&
    entityFits(world, namespace, rule.destination ?? {}, q.to, q.port, q)
  );
}

function entityFits(
  world: World,
  namespace: string | undefined,
  e: Json,
  side: Side,
  port: number,
  q: Question,
): boolean {
  if (e.nets && !e.nets.some((net: string) => inCidr(net, side.ip))) return false;
  if (e.notNets) {
    if (!e.notNets.some((net: string) => isIPv6(net.split('/')[0] ?? '') === isIPv6(side.ip))) return false;
    if (e.notNets.some((net: string) => inCidr(net, side.ip))) return false;
  }
  if (e.ports && !e.ports.some((p: Json) => calicoPort(p, side, port, q))) return false;
  if (e.notPorts && e.notPorts.some((p: Json) => calicoPort(p, side, port, q))) return false;
  if (e.selector || e.namespaceSelector || e.serviceAccounts || (namespace && e.notSelector)) {
    // What the address may belong to: the pod, or network sets.
    const candidates = [
      ...(side.pod ? [{ labels: calicoLabels(side.pod), ns: side.pod.metadata.namespace }] : []),
      ...netsOf(world, side.ip),
    ];
    const fits = candidates.some(({ labels, ns }) => {
      if (e.serviceAccounts && !e.serviceAccounts.names.includes(labels['projectcalico.org/serviceaccount']))
        return false;
      if (e.namespaceSelector) {
        if (!saysOfNamespace(world, e.namespaceSelector, ns)) return false;
      } else if (namespace && ns !== namespace) return false;
      return !e.selector || says(e.selector, labels);
    });
    if (!fits) return false;
  }
  if (e.notSelector) {
    const candidates = [...(side.pod ? [calicoLabels(side.pod)] : []), ...netsOf(world, side.ip).map((n) => n.labels)];
    if (candidates.some((labels) => says(e.notSelector, labels))) return false;
  }
  return true;
}

function netsOf(world: World, ip: string): { labels: Json; ns: string | undefined }[] {
  return (world.networkSets ?? [])
    .filter((set) => set.spec.nets.some((net: string) => inCidr(net, ip)))
    .map((set) => ({
      ns: set.metadata.namespace,
      labels: {
        ...set.metadata.labels,
        ...(set.metadata.namespace ? { 'projectcalico.org/namespace': set.metadata.namespace } : {}),
      },
    }));
}

function calicoPort(wanted: Json, side: Side, port: number, q: Question): boolean {
  const numbers = /^(\d+)(:(\d+))?$/.exec(String(wanted));
  if (numbers) return port >= Number(numbers[1]) && port <= Number(numbers[3] ?? numbers[1]);
  return named(side.pod, wanted).some((p) => p.protocol.toLowerCase() === q.protocol && p.containerPort === port);
}
