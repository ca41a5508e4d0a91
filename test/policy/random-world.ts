import type { Random } from '../differential/random.js';
import { printSelector, type Question, type Tree, type World } from './brute-force.js';

type Json = any;

const VALUES = ['a', 'b', 'ab'];
const KEYS = ['app', 'tier', 'team'];
const NS_KEYS = ['env', 'org'];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const PORTS = [53, 80, 81, 443, 8080];
const PORT_NAMES = ['http', 'dns', 'admin'];

export type Language = 'kubernetes' | 'admin' | 'calico';

/** A small cluster and a few policies in it: small, so that policies and flows meet. */
export function randomWorld(random: Random, languages: readonly Language[]): World {
  const names = ['n1', 'n2', 'n3'].slice(0, random.int(2, 3));
  const namespaces = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels(random, NS_KEYS) } },
  }));
  const nodes = ['node1', 'node2'].map((name, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: labels(random, ['zone']) },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address: `172.18.0.${i + 2}` }] },
  }));
  const pods = names.flatMap((namespace, i) =>
    random.times(random.int(1, 4), (j) => pod(random, namespace, `p${j}`, `10.0.${i}.${j + 4}`, `fd00:${i}::${j + 4}`)),
  );
  const calico = languages.includes('calico');
  return {
    namespaces,
    nodes,
    pods,
    policies: random.times(random.int(1, 5), (i) => policy(random, `p${i}`, names, random.pick(languages), i)),
    networkSets: calico ? random.times(random.int(0, 2), (i) => networkSet(random, i, names)) : [],
    tiers: calico
      ? [
          tier('before', random.int(1, 900), random.pick(['Pass', 'Deny'])),
          tier('after', random.int(1_000_001, 9_000_000), random.pick(['', 'Pass', 'Deny'])),
        ]
      : [],
  };
}

export function objectsOf(world: World): Json[] {
  return [
    ...world.namespaces,
    ...world.nodes,
    ...world.pods,
    ...world.policies,
    ...(world.networkSets ?? []),
    ...(world.tiers ?? []),
    // Who enforces decides whether a pod's own node is beyond its egress policies.
    ...(world.policies.some((policy) => policy.apiVersion === 'projectcalico.org/v3')
      ? [
          {
            apiVersion: 'apps/v1',
            kind: 'DaemonSet',
            metadata: { namespace: 'kube-system', name: 'calico-node' },
            spec: { template: { spec: { containers: [{ name: 'calico-node' }] } } },
          },
        ]
      : []),
  ];
}

export function randomQuestion(random: Random, world: World): Question {
  const family = random.chance(0.7) ? 0 : 1;
  const side = () => {
    const where = random.next();
    if (where < 0.8) {
      const found = random.pick(world.pods);
      return { ip: found.status.podIPs[family].ip as string, pod: found };
    }
    if (where < 0.9 && family === 0) return { ip: `172.18.0.${random.int(2, 3)}` };
    return { ip: family === 0 ? random.pick(['8.8.8.8', '10.0.9.9', '192.0.2.7']) : '2001:db8::7' };
  };
  return {
    from: side(),
    to: side(),
    protocol: random.pick(PROTOCOLS).toLowerCase(),
    port: random.pick(PORTS),
    sourcePort: random.int(1024, 1030),
  };
}

function pod(random: Random, namespace: string, name: string, ...ips: string[]): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: labels(random, KEYS) },
    spec: {
      nodeName: random.pick(['node1', 'node2']),
      serviceAccountName: random.pick(['default', 'robot']),
      containers: random.times(random.int(1, 2), () => ({
        name: 'c',
        ports: random.times(random.int(0, 3), () => ({
          name: random.pick(PORT_NAMES),
          containerPort: random.pick(PORTS),
          protocol: random.pick(PROTOCOLS),
        })),
      })),
    },
    status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })) },
  };
}

function policy(random: Random, name: string, namespaces: readonly string[], language: Language, index: number): Json {
  if (language === 'admin') return adminPolicy(random, name, index);
  if (language === 'calico') return calicoPolicy(random, name, namespaces);
  const spec: Json = { podSelector: selector(random, KEYS) };
  if (random.chance(0.8)) spec.policyTypes = random.some(['Ingress', 'Egress'], random.int(0, 2));
  if (random.chance(0.7)) spec.ingress = random.times(random.int(0, 3), () => plainRule(random, 'from'));
  if (random.chance(0.7)) spec.egress = random.times(random.int(0, 3), () => plainRule(random, 'to'));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: random.pick(namespaces) },
    spec,
  };
}

function plainRule(random: Random, field: string): Json {
  const rule: Json = {};
  if (random.chance(0.75)) rule[field] = random.times(random.int(0, 3), () => plainPeer(random));
  if (random.chance(0.6)) rule.ports = random.times(random.int(0, 3), () => plainPort(random));
  return rule;
}

function plainPeer(random: Random): Json {
  const kind = random.int(0, 3);
  if (kind === 0) return { podSelector: selector(random, KEYS) };
  if (kind === 1) return { namespaceSelector: namespaceSelector(random) };
  if (kind === 2) return { podSelector: selector(random, KEYS), namespaceSelector: namespaceSelector(random) };
  const [cidr, ...except] = random.pick([
    ['10.0.0.0/8', '10.0.1.0/24', '10.0.0.4/31'],
    ['0.0.0.0/0', '10.0.0.0/16'],
    ['0.0.0.0/0', '172.18.0.0/30', '8.8.0.0/16'],
    ['10.0.0.4/32'],
    ['fd00::/16', 'fd00:1::/64'],
    ['::/0', 'fd00:0::4/127'],
    ['10.0.1.5/24'],
  ]);
  return { ipBlock: random.chance(0.3) ? { cidr } : { cidr, except: random.some(except, random.int(0, 2)) } };
}

function plainPort(random: Random): Json {
  const entry: Json = {};
  if (random.chance(0.8)) entry.protocol = random.pick(PROTOCOLS);
  const kind = random.next();
  if (kind < 0.5) entry.port = random.pick(PORTS);
  else if (kind < 0.75) entry.port = random.pick(PORT_NAMES);
  if (typeof entry.port === 'number' && random.chance(0.4)) entry.endPort = entry.port + random.int(0, 400);
  return entry;
}

function adminPolicy(random: Random, name: string, index: number): Json {
  // There is one BaselineAdminNetworkPolicy at most, named default.
  const form = index === 0 ? random.int(0, 3) : random.pick([0, 2, 3]);
  const newer = form >= 2;
  const baseline = form === 1 || (form === 3 && random.chance(0.5));
  const spec: Json = {
    subject: random.chance(0.5)
      ? { namespaces: namespaceSelector(random) }
      : { pods: { namespaceSelector: namespaceSelector(random), podSelector: selector(random, KEYS) } },
  };
  // Equal priorities have no defined order: no two policies here have the same.
  if (form !== 1) spec.priority = index * 7 + 1;
  if (newer) spec.tier = baseline ? 'Baseline' : 'Admin';
  const actions = newer ? ['Accept', 'Deny', 'Pass'] : baseline ? ['Allow', 'Deny'] : ['Allow', 'Deny', 'Pass'];
  const rule = (field: string): Json => {
    const made: Json = {
      action: random.pick(actions),
      [field]: random.times(random.int(1, 2), () => adminPeer(random, field)),
    };
    if (random.chance(0.5))
      made[newer ? 'protocols' : 'ports'] = random.times(random.int(1, 2), () => adminPort(random, newer));
    return made;
  };
  if (random.chance(0.7)) spec.ingress = random.times(random.int(0, 3), () => rule('from'));
  if (random.chance(0.7)) spec.egress = random.times(random.int(0, 3), () => rule('to'));
  const kind = newer ? 'ClusterNetworkPolicy' : baseline ? 'BaselineAdminNetworkPolicy' : 'AdminNetworkPolicy';
  return {
    apiVersion: `policy.networking.k8s.io/${newer ? 'v1alpha2' : 'v1alpha1'}`,
    kind,
    metadata: { name: kind === 'BaselineAdminNetworkPolicy' ? 'default' : name },
    spec,
  };
}

function adminPeer(random: Random, field: string): Json {
  const kind = random.int(0, field === 'to' ? 3 : 1);
  if (kind === 0) return { namespaces: namespaceSelector(random) };
  if (kind === 1)
    return { pods: { namespaceSelector: namespaceSelector(random), podSelector: selector(random, KEYS) } };
  if (kind === 2) return { networks: random.some(['10.0.0.0/24', '8.0.0.0/8', '172.18.0.2/32', 'fd00::/16'], 2) };
  return { nodes: selector(random, ['zone']) };
}

function adminPort(random: Random, newer: boolean): Json {
  const protocol = random.pick(PROTOCOLS);
  const port = random.pick(PORTS);
  const kind = random.int(0, 2);
  if (newer) {
    if (kind === 0) return { destinationNamedPort: random.pick(PORT_NAMES) };
    if (random.chance(0.2)) return { [protocol.toLowerCase()]: {} };
    return {
      [protocol.toLowerCase()]: {
        destinationPort: kind === 1 ? { number: port } : { range: { start: port, end: port + 300 } },
      },
    };
  }
  if (kind === 0) return { namedPort: random.pick(PORT_NAMES) };
  return kind === 1 ? { portNumber: { protocol, port } } : { portRange: { protocol, start: port, end: port + 300 } };
}

function calicoPolicy(random: Random, name: string, namespaces: readonly string[]): Json {
  const global = random.chance(0.5);
  const spec: Json = {
    types: random.some(['Ingress', 'Egress'], random.int(1, 2)),
    selector: calicoSelector(random, KEYS, 2),
  };
  const where = random.pick(['', 'default', 'before', 'after']);
  if (where !== '') spec.tier = where;
  if (random.chance(0.7)) spec.order = random.pick([1, 500, 999.5, 1000, 2000]);
  if (global && random.chance(0.3)) spec.namespaceSelector = calicoSelector(random, NS_KEYS, 1);
  if (random.chance(0.1)) spec.doNotTrack = true;
  const rules = () => random.times(random.int(0, 3), () => calicoRule(random));
  if (random.chance(0.8)) spec.ingress = rules();
  if (random.chance(0.8)) spec.egress = rules();
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: global ? 'GlobalNetworkPolicy' : 'NetworkPolicy',
    metadata: global ? { name } : { name, namespace: random.pick(namespaces) },
    spec,
  };
}

function calicoRule(random: Random): Json {
  const rule: Json = { action: random.pick(['Allow', 'Allow', 'Deny', 'Pass', 'Log']) };
  if (random.chance(0.5)) rule.protocol = random.pick(PROTOCOLS);
  else if (random.chance(0.1)) rule.notProtocol = random.pick(PROTOCOLS);
  if (random.chance(0.15)) rule.ipVersion = random.pick([4, 6]);
  if (random.chance(0.6)) rule.source = entity(random, rule.protocol !== undefined, true);
  if (random.chance(0.6)) rule.destination = entity(random, rule.protocol !== undefined, false);
  return rule;
}

function entity(random: Random, ports: boolean, source: boolean): Json {
  const made: Json = {};
  if (random.chance(0.25)) made.nets = random.some(['10.0.0.0/16', '10.0.1.4/32', '8.8.8.8/32', 'fd00::/16'], 2);
  if (random.chance(0.15)) made.notNets = random.some(['10.0.0.0/24', '172.18.0.0/16', 'fd00:1::/64'], 2);
  if (random.chance(0.4)) made.selector = calicoSelector(random, KEYS, 2);
  if (random.chance(0.15)) made.notSelector = calicoSelector(random, KEYS, 1);
  if (random.chance(0.25))
    made.namespaceSelector = random.chance(0.2) ? printSelector(['global']) : calicoSelector(random, NS_KEYS, 1);
  if (random.chance(0.15)) made.serviceAccounts = { names: ['robot'] };
  if (ports && random.chance(0.4))
    made.ports = source
      ? ['1024:1026', 1028]
      : random.some([80, '81', '50:60', '400:9000', ...PORT_NAMES], random.int(1, 3));
  if (ports && random.chance(0.15)) made.notPorts = source ? [1025] : random.some([80, '443:444', 'http'], 2);
  return made;
}

function calicoSelector(random: Random, keys: readonly string[], depth: number): string {
  return printSelector(tree(random, keys, depth));
}

function tree(random: Random, keys: readonly string[], depth: number): Tree {
  const key = random.pick(keys);
  if (depth > 0 && random.chance(0.35)) {
    const parts = random.times(random.int(2, 3), () => tree(random, keys, depth - 1));
    return random.chance(0.3) ? ['!', parts[0]] : [random.pick(['&&', '||']), ...parts];
  }
  switch (random.int(0, 6)) {
    case 0:
      return ['all'];
    case 1:
      return ['has', key];
    case 2:
      return [random.pick(['in', 'not in']), key, random.some(VALUES, random.int(1, 2))];
    case 3:
      return [random.pick(['contains', 'starts with', 'ends with']), key, random.pick(['a', 'b'])];
    case 4:
      return ['!=', key, random.pick(VALUES)];
    default:
      return ['==', key, random.pick(VALUES)];
  }
}

function networkSet(random: Random, index: number, namespaces: readonly string[]): Json {
  const global = random.chance(0.5);
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: global ? 'GlobalNetworkSet' : 'NetworkSet',
    metadata: {
      name: `set${index}`,
      labels: labels(random, KEYS),
      ...(global ? {} : { namespace: random.pick(namespaces) }),
    },
    spec: { nets: random.some(['8.8.0.0/16', '192.0.2.0/24', '10.0.0.0/24', '2001:db8::/32'], 2) },
  };
}

function tier(name: string, order: number, defaultAction: string): Json {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Tier',
    metadata: { name },
    spec: defaultAction === '' ? { order } : { order, defaultAction },
  };
}

function labels(random: Random, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.filter(() => random.chance(0.7)).map((key) => [key, random.pick(VALUES)]));
}

function namespaceSelector(random: Random): Json {
  return random.chance(0.2)
    ? { matchLabels: { 'kubernetes.io/metadata.name': random.pick(['n1', 'n2']) } }
    : selector(random, NS_KEYS);
}

function selector(random: Random, keys: readonly string[]): Json {
  if (random.chance(0.25)) return {};
  const made: Json = {};
  if (random.chance(0.6)) made.matchLabels = { [random.pick(keys)]: random.pick(VALUES) };
  if (random.chance(0.5))
    made.matchExpressions = random.times(random.int(1, 2), () => {
      const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
      const key = random.pick(keys);
      return operator === 'In' || operator === 'NotIn'
        ? { key, operator, values: random.some(VALUES, random.int(1, 2)) }
        : { key, operator };
    });
  return made;
}
