import { parseIp, type KubernetesObject } from '#libs/model';
import {
  clusterOf,
  conformanceObjects,
  conformancePods,
  NAMESPACES,
  POD_NAMES,
  policyOf,
} from '../../../../test/policy/sketch-cluster.js';
import { PolicyIndex } from '../policy-index.js';

/**
 * The cases of the upstream end-to-end suite (kubernetes/test/e2e/network/netpol/network_policy.go) as truth tables over the whole model of
 * 3 namespaces x 3 pods. `deny` and `allow` are written as there: everything is reachable, then each line changes a part; `*` is any.
 */
interface Expectation {
  readonly port: number;
  readonly protocol?: string;
  readonly lines: readonly (readonly ['deny' | 'allow', from: string, to: string])[];
}

interface Case {
  readonly name: string;
  readonly objects?: (objects: readonly KubernetesObject[]) => readonly KubernetesObject[];
  readonly policies: readonly KubernetesObject[];
  readonly expect: readonly Expectation[];
}

const podIs = (name: string) => ({ matchLabels: { pod: name } });
const nsIs = (name: string) => ({ matchLabels: { ns: name } });
const isIn = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});
const ingress = (podSelector: object, ...rules: object[]) => ({
  podSelector,
  policyTypes: ['Ingress'],
  ingress: rules,
});
const egress = (podSelector: object, ...rules: object[]) => ({ podSelector, policyTypes: ['Egress'], egress: rules });
const on = (port: number | string, protocol?: string) => ({ ports: [{ port, protocol }] });
const x = (name: string, spec: Record<string, unknown>) => policyOf('x', name, spec);
const reachable: Expectation['lines'] = [];
const ONLY_Y: Expectation['lines'] = [
  ['deny', 'x/*', 'x/a'],
  ['deny', 'z/*', 'x/a'],
];
const XB = '10.244.1.11';
const YB = '10.244.2.11';

const CASES: readonly Case[] = [
  {
    name: 'default-deny-ingress',
    policies: [x('deny-all', ingress({}))],
    expect: [80, 81].flatMap((port) =>
      ['tcp', 'udp', 'sctp'].map((protocol) => ({ port, protocol, lines: [['deny', '*/*', 'x/*']] as const })),
    ),
  },
  {
    name: 'default-deny-all',
    policies: [x('deny-all', { podSelector: {}, policyTypes: ['Egress', 'Ingress'] })],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'x/*', '*/*'],
          ['deny', '*/*', 'x/*'],
        ],
      },
    ],
  },
  {
    name: 'traffic from pods within the namespace, by podSelector',
    policies: [x('x-a-allows-x-b', ingress(podIs('a'), { from: [{ podSelector: podIs('b') }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'x/b', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'allow ingress for a target beside a deny-all',
    policies: [
      x('deny-all', ingress({})),
      x('allow-all-to-a', ingress(podIs('a'), { from: [{ podSelector: {}, namespaceSelector: {} }] })),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/b'],
          ['deny', '*/*', 'x/c'],
        ],
      },
    ],
  },
  {
    name: 'ingress from pods in all namespaces',
    policies: [x('allow-from-another-ns', ingress(podIs('a'), { from: [{ namespaceSelector: {} }] }))],
    expect: [{ port: 80, lines: reachable }],
  },
  {
    name: 'only from a different namespace, by namespaceSelector',
    policies: [x('ns', ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y') }] }))],
    expect: [{ port: 80, lines: ONLY_Y }],
  },
  {
    name: 'podSelector with matchExpressions',
    policies: [x('expr', ingress(podIs('a'), { from: [{ podSelector: isIn('pod', 'In', 'b') }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'x/b', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'namespaceSelector with matchExpressions',
    policies: [x('expr', ingress(podIs('a'), { from: [{ namespaceSelector: isIn('ns', 'In', 'y') }] }))],
    expect: [{ port: 80, lines: ONLY_Y }],
  },
  {
    name: 'podSelector or namespaceSelector: two peers',
    policies: [
      x(
        'or',
        ingress(podIs('a'), {
          from: [{ namespaceSelector: isIn('ns', 'NotIn', 'x') }, { podSelector: podIs('b') }],
        }),
      ),
    ],
    expect: [{ port: 80, lines: [['deny', 'x/c', 'x/a']] }],
  },
  {
    name: 'podSelector and namespaceSelector: one peer',
    policies: [
      x(
        'and',
        ingress(podIs('a'), { from: [{ namespaceSelector: isIn('ns', 'NotIn', 'x'), podSelector: podIs('b') }] }),
      ),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'y/b', 'x/a'],
          ['allow', 'z/b', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'several podSelectors and namespaceSelectors',
    policies: [
      x(
        'many',
        ingress(podIs('a'), {
          from: [{ namespaceSelector: isIn('ns', 'NotIn', 'x'), podSelector: isIn('pod', 'In', 'b', 'c') }],
        }),
      ),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'x/*', 'x/a'],
          ['deny', 'y/a', 'x/a'],
          ['deny', 'z/a', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'any of several podSelectors',
    policies: [x('any', ingress(podIs('a'), { from: [{ podSelector: podIs('b') }, { podSelector: podIs('c') }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'x/b', 'x/a'],
          ['allow', 'x/c', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'only from one pod of another namespace',
    policies: [x('one', ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y'), podSelector: podIs('a') }] }))],
    expect: ['tcp', 'udp', 'sctp'].map((protocol) => ({
      port: 80,
      protocol,
      lines: [
        ['deny', '*/*', 'x/a'],
        ['allow', 'y/a', 'x/a'],
      ] as const,
    })),
  },
  ...['TCP', 'UDP', 'SCTP'].map((protocol): Case => ({
    name: `by ports, ${protocol}`,
    policies: [x('81', ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y') }], ...on(81, protocol) }))],
    expect: [
      { port: 81, protocol: protocol.toLowerCase(), lines: ONLY_Y },
      { port: 80, protocol: protocol.toLowerCase(), lines: [['deny', '*/*', 'x/a']] },
    ],
  })),
  {
    name: 'stacked policies with overlapping podSelectors, before the second',
    policies: [x('81', ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y') }], ...on(81) }))],
    expect: [
      { port: 81, lines: ONLY_Y },
      { port: 80, lines: [['deny', '*/*', 'x/a']] },
    ],
  },
  {
    name: 'stacked policies with overlapping podSelectors, with the second',
    policies: [80, 81].map((port) =>
      x(`p${port}`, ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y') }], ...on(port) })),
    ),
    expect: [80, 81].map((port) => ({ port, lines: ONLY_Y })),
  },
  {
    name: 'allow-all',
    policies: [x('allow-all', ingress({}, {}))],
    expect: [80, 81].map((port) => ({ port, lines: reachable })),
  },
  {
    name: 'ingress on one named port',
    policies: [x('named', ingress({}, on('serve-81-tcp')))],
    expect: [
      { port: 81, lines: reachable },
      { port: 80, lines: [['deny', '*/*', 'x/*']] },
    ],
  },
  {
    name: 'ingress from a namespace on one named port',
    policies: [
      x('named', ingress(podIs('a'), { from: [{ namespaceSelector: nsIs('y') }], ...on('serve-80-tcp', 'TCP') })),
    ],
    expect: [
      { port: 80, lines: ONLY_Y },
      { port: 81, lines: [['deny', '*/*', 'x/a']] },
    ],
  },
  {
    name: 'egress on one named port',
    policies: [x('named', egress({}, on('serve-80-tcp')))],
    expect: [
      { port: 80, lines: reachable },
      { port: 81, lines: [['deny', 'x/*', '*/*']] },
    ],
  },
  {
    name: 'an updated policy: allow all, then deny all',
    policies: [x('allow-all-mutate-to-deny-all', ingress({}))],
    expect: [{ port: 81, lines: [['deny', '*/*', 'x/*']] }],
  },
  {
    name: 'a namespace before it has the label',
    policies: [x('ns2', ingress(podIs('a'), { from: [{ namespaceSelector: { matchLabels: { ns2: 'updated' } } }] }))],
    expect: [{ port: 80, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'a namespace with the new label',
    objects: (objects) => objects.map((object) => relabel(object, 'Namespace', 'y', { ns2: 'updated' })),
    policies: [x('ns2', ingress(podIs('a'), { from: [{ namespaceSelector: { matchLabels: { ns2: 'updated' } } }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'y/*', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'a pod with a new label',
    objects: (objects) => objects.map((object) => relabel(object, 'Pod', 'b', { pod2: 'updated' }, 'x')),
    policies: [
      x('pod2', ingress(podIs('a'), { from: [{ podSelector: { matchLabels: { pod: 'b', pod2: 'updated' } } }] })),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'x/b', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'deny ingress from pods of other namespaces',
    policies: [x('same', ingress({}, { from: [{ podSelector: {} }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'y/*', 'x/*'],
          ['deny', 'z/*', 'x/*'],
        ],
      },
    ],
  },
  {
    name: 'a pod that gets the label of an isolating policy',
    objects: (objects) => objects.map((object) => relabel(object, 'Pod', 'a', { target: 'isolated' }, 'x')),
    policies: [x('isolated', ingress({ matchLabels: { target: 'isolated' } }))],
    expect: [{ port: 80, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'deny egress by podSelector',
    policies: [x('deny-egress-pod-a', egress(podIs('a')))],
    expect: [{ port: 80, lines: [['deny', 'x/a', '*/*']] }],
  },
  {
    name: 'deny egress of a namespace',
    policies: [x('deny-egress-ns-x', egress({}))],
    expect: [{ port: 80, lines: [['deny', 'x/*', '*/*']] }],
  },
  {
    name: 'ingress and egress in one policy',
    policies: [
      x('both', {
        podSelector: podIs('a'),
        policyTypes: ['Egress', 'Ingress'],
        ingress: [{ from: [{ podSelector: podIs('b') }] }],
        egress: [on(80)],
      }),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['allow', 'x/b', 'x/a'],
        ],
      },
      {
        port: 81,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['deny', 'x/a', '*/*'],
          ['allow', 'x/b', 'x/a'],
        ],
      },
    ],
  },
  {
    name: 'egress denied at the client though the server allows it',
    policies: [
      x('to-y-a', egress(podIs('a'), { to: [{ namespaceSelector: nsIs('y'), podSelector: podIs('a') }] })),
      ...['a', 'b'].map((pod) =>
        policyOf(
          'y',
          `from-x-a-${pod}`,
          ingress(podIs(pod), { from: [{ namespaceSelector: nsIs('x'), podSelector: podIs('a') }] }),
        ),
      ),
    ],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'x/a', '*/*'],
          ['deny', '*/*', 'y/a'],
          ['allow', 'x/a', 'y/a'],
          ['deny', '*/*', 'y/b'],
        ],
      },
    ],
  },
  {
    name: 'egress to a server of another namespace',
    policies: [x('to-y-a', egress(podIs('a'), { to: [{ namespaceSelector: nsIs('y'), podSelector: podIs('a') }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'x/a', '*/*'],
          ['allow', 'x/a', 'y/a'],
        ],
      },
    ],
  },
  {
    name: 'any port of one protocol',
    policies: [x('proto', ingress(podIs('a'), { ports: [{ protocol: 'TCP' }] }))],
    expect: [
      { port: 80, lines: reachable },
      { port: 80, protocol: 'udp', lines: [['deny', '*/*', 'x/a']] },
    ],
  },
  {
    name: 'several ingress policies, one of them allow-all',
    policies: [x('p80', ingress({}, on(80))), x('all', ingress({}, {}))],
    expect: [{ port: 81, lines: reachable }],
  },
  {
    name: 'several egress policies, one of them allow-all',
    policies: [x('p80', egress({}, on(80))), x('all', egress({}, {}))],
    expect: [{ port: 81, lines: reachable }],
  },
  {
    name: 'a port that no policy names',
    policies: [x('p80', ingress({}, on(80)))],
    expect: [{ port: 81, lines: [['deny', '*/*', 'x/*']] }],
  },
  { name: 'no policy any more', policies: [], expect: [{ port: 80, lines: reachable }] },
  {
    name: 'egress to a server in an ipBlock',
    policies: [x('cidr', egress(podIs('a'), { to: [{ ipBlock: { cidr: `${YB}/32` } }] }))],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', 'x/a', '*/*'],
          ['allow', 'x/a', 'y/b'],
        ],
      },
    ],
  },
  {
    name: 'ipBlock with except',
    policies: [x('except', egress(podIs('a'), { to: [{ ipBlock: { cidr: '0.0.0.0/4', except: [`${XB}/32`] } }] }))],
    expect: [{ port: 80, lines: [['deny', 'x/a', 'x/b']] }],
  },
  {
    name: 'an address in the except of one policy and the cidr of another',
    policies: [
      x('except', egress(podIs('a'), { to: [{ ipBlock: { cidr: '0.0.0.0/4', except: [`${XB}/32`] } }] })),
      x('cidr', egress(podIs('a'), { to: [{ ipBlock: { cidr: `${XB}/32` } }] })),
    ],
    expect: [{ port: 80, lines: reachable }],
  },
  {
    name: 'ingress and egress are controlled apart',
    policies: [x('allow-egress', egress(podIs('a'), {})), x('deny-ingress', ingress(podIs('a')))],
    expect: [{ port: 80, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'SCTP is not TCP',
    policies: [x('deny', ingress({})), x('sctp', ingress(podIs('a'), on(81, 'SCTP')))],
    expect: [
      { port: 81, lines: [['deny', '*/*', 'x/*']] },
      {
        port: 81,
        protocol: 'sctp',
        lines: [
          ['deny', '*/*', 'x/b'],
          ['deny', '*/*', 'x/c'],
        ],
      },
    ],
  },
  {
    name: 'a policy that allows SCTP isolates all the same',
    policies: [x('sctp', ingress(podIs('a'), on(80, 'SCTP')))],
    expect: [{ port: 81, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'UDP is not TCP',
    policies: [x('udp', ingress(podIs('a'), on(81, 'UDP')))],
    expect: [{ port: 81, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'the default label of namespaces, matchLabels',
    policies: [
      x(
        'meta',
        ingress(podIs('a'), { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'y' } } }] }),
      ),
    ],
    expect: [{ port: 80, lines: ONLY_Y }],
  },
  {
    name: 'the default label of namespaces, matchExpressions',
    policies: [
      x('meta', egress(podIs('a'), { to: [{ namespaceSelector: isIn('kubernetes.io/metadata.name', 'NotIn', 'y') }] })),
    ],
    expect: [{ port: 80, lines: [['deny', 'x/a', 'y/*']] }],
  },
  {
    name: 'endPort: a range of ports, both ends included',
    policies: [x('range', ingress(podIs('a'), { ports: [{ port: 81, endPort: 90, protocol: 'TCP' }] }))],
    expect: [
      { port: 80, lines: [['deny', '*/*', 'x/a']] },
      { port: 81, lines: reachable },
      { port: 90, lines: reachable },
      { port: 91, lines: [['deny', '*/*', 'x/a']] },
    ],
  },
  {
    name: 'policyTypes left out: Ingress always, Egress with egress rules',
    policies: [x('no-types', { podSelector: podIs('a'), egress: [on(81)] })],
    expect: [
      {
        port: 80,
        lines: [
          ['deny', '*/*', 'x/a'],
          ['deny', 'x/a', '*/*'],
        ],
      },
    ],
  },
  {
    name: 'policyTypes left out and egress empty: Ingress only',
    policies: [x('no-types', { podSelector: podIs('a'), egress: [] })],
    expect: [{ port: 80, lines: [['deny', '*/*', 'x/a']] }],
  },
  {
    name: 'policyTypes Egress: ingress rules have no effect',
    policies: [x('egress-only', { podSelector: podIs('a'), policyTypes: ['Egress'], ingress: [], egress: [{}] })],
    expect: [{ port: 80, lines: reachable }],
  },
  {
    name: 'empty lists of peers and ports restrict nothing',
    policies: [x('empty', ingress({}, { from: [], ports: [] }))],
    expect: [{ port: 80, lines: reachable }],
  },
  {
    name: 'Exists and DoesNotExist',
    policies: [
      x(
        'exists',
        ingress(podIs('a'), {
          from: [
            {
              podSelector: { matchExpressions: [{ key: 'pod', operator: 'Exists' }] },
              namespaceSelector: { matchExpressions: [{ key: 'no-such', operator: 'DoesNotExist' }] },
            },
          ],
        }),
      ),
    ],
    expect: [{ port: 80, lines: reachable }],
  },
];

function relabel(
  object: KubernetesObject,
  kind: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  namespace?: string,
): KubernetesObject {
  const { metadata } = object;
  if (object.kind !== kind || metadata.name !== name || metadata.namespace !== namespace) return object;
  const known = typeof metadata.labels === 'object' ? metadata.labels : {};
  return { ...object, metadata: { ...metadata, labels: { ...known, ...labels } } };
}

const PODS = NAMESPACES.flatMap((namespace) => POD_NAMES.map((name) => `${namespace}/${name}`));

function covers(pattern: string, pod: string): boolean {
  const [namespace, name] = pattern.split('/');
  const [ns, po] = pod.split('/');
  return (namespace === '*' || namespace === ns) && (name === '*' || name === po);
}

/** One line a source, one letter a destination: `.` reaches, `X` does not. A pod always reaches itself. */
function wantedTable({ lines }: Expectation): readonly string[] {
  return PODS.map((from) => {
    const cells = PODS.map((to) => {
      const last = lines.findLast(([, source, target]) => covers(source, from) && covers(target, to));
      return from !== to && last?.[0] === 'deny' ? 'X' : '.';
    });
    return `${from} ${cells.join('')}`;
  });
}

function table(index: PolicyIndex, { port, protocol = 'tcp' }: Expectation, family: 0 | 1): readonly string[] {
  const ends = conformancePods().map(({ namespace, name, ips }) => {
    const ip = parseIp(ips[family] ?? '');
    if (ip === undefined) throw new Error('the sketch has an address of each family');
    return index.endOfPod(namespace, name, ip);
  });
  return ends.map((source, i) => {
    const cells = ends.map((destination) => {
      const { decision } = index.verdict({ source, destination, port, protocol });
      return decision === 'allow' ? '.' : decision === 'deny' ? 'X' : '?';
    });
    return `${PODS[i] ?? ''} ${cells.join('')}`;
  });
}

describe('NetworkPolicy conformance', () => {
  it.each(CASES)('$name', ({ policies, expect: expectations, objects = (all) => all }) => {
    const index = new PolicyIndex(clusterOf([...objects(conformanceObjects()), ...policies]));

    expect(index.problems).toEqual([]);
    for (const expectation of expectations) expect(table(index, expectation, 0)).toEqual(wantedTable(expectation));
  });

  it.each(CASES.filter(({ policies }) => !JSON.stringify(policies).includes('ipBlock')))(
    'the same over IPv6: $name',
    ({ policies, expect: expectations, objects = (all) => all }) => {
      const index = new PolicyIndex(clusterOf([...objects(conformanceObjects()), ...policies]));

      for (const expectation of expectations) expect(table(index, expectation, 1)).toEqual(wantedTable(expectation));
    },
  );
});
