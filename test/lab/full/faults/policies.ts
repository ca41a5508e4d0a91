import type { PolicyPeer, PolicyPort, PolicySpec } from '../../cluster/network-policy.js';
import { cause } from '../cause.js';
import { calico, faultsOf, type Fault } from '../fault.js';
import type { Target } from '../target.js';

const WEB = { app: 'web' } as const;
const HTTP: PolicyPort = { protocol: 'tcp', port: 8080 };

/**
 * Worlds of policies, each in place of the cluster's own, that the kernel enforces by rules as Felix writes them. Nothing is broken
 * in them: what the policies deny must be said to be denied by them, and neither rules nor objects be called out of date.
 */
const WORLDS: readonly (readonly [string, string, (t: Target) => readonly PolicySpec[]])[] = [
  ['policy-none', 'no policies', () => []],
  ['policy-deny-in', 'nobody may reach pods of default', () => [policy('deny-in', {}, { ingress: [] })]],
  ['policy-deny-out', 'pods of default may reach nobody', () => [policy('deny-out', {}, { egress: [] })]],
  [
    'policy-deny-both',
    'the database is shut off',
    () => [{ ...policy('deny-both', {}, { ingress: [], egress: [] }), namespace: 'prod' }],
  ],
  [
    'policy-pods',
    'web is there for frontends of its namespace',
    () => [policy('pods', WEB, { ingress: [{ peers: [pods({ role: 'frontend' })], ports: [HTTP] }] })],
  ],
  [
    'policy-namespace-and-pods',
    'the database is there for backends of default, and for all of kube-system',
    () => [
      {
        ...policy(
          'namespace-and-pods',
          { app: 'db' },
          {
            ingress: [
              {
                peers: [{ podLabels: { role: 'backend' }, namespace: 'default' }, { namespace: 'kube-system' }],
                ports: [HTTP],
              },
            ],
          },
        ),
        namespace: 'prod',
      },
    ],
  ],
  [
    'policy-other-namespace',
    'web is there for all pods of prod, and for nobody of its own namespace',
    () => [policy('other-namespace', WEB, { ingress: [{ peers: [{ namespace: 'prod' }] }] })],
  ],
  [
    'policy-block-except',
    'web is there for pods but those of node3 and one of node1',
    (t) => [
      policy('block-except', WEB, {
        ingress: [{ peers: [{ cidr: t.lab.cluster.podNetwork, except: [t.cidr('node3'), `${t.ip('client-0')}/32`] }] }],
      }),
    ],
  ],
  [
    'policy-nodes-block',
    'web is there for the nodes: for what is masqueraded too',
    () => [policy('nodes-block', WEB, { ingress: [{ peers: [{ cidr: '10.10.0.0/24' }], ports: [HTTP] }] })],
  ],
  [
    'policy-named-port',
    'web is there on its port http',
    () => [policy('named-port', WEB, { ingress: [{ ports: [{ protocol: 'tcp', port: 'http' }] }] })],
  ],
  [
    'policy-end-port',
    'web is there on TCP 8000 to 8079 and UDP 5000 to 5999',
    () => [
      policy('end-port', WEB, {
        ingress: [
          {
            ports: [
              { protocol: 'tcp', port: 8000, endPort: 8079 },
              { protocol: 'udp', port: 5000, endPort: 5999 },
            ],
          },
        ],
      }),
    ],
  ],
  [
    'policy-egress-pods',
    'frontends may reach web by HTTP, and DNS of everybody',
    () => [
      policy(
        'egress-pods',
        { role: 'frontend' },
        {
          egress: [{ peers: [pods(WEB)], ports: [HTTP] }, { ports: [{ protocol: 'udp', port: 5353 }] }],
        },
      ),
    ],
  ],
  [
    'policy-egress-named-port',
    'clients may reach the named port http of pods in every namespace',
    () => [
      policy(
        'egress-named-port',
        { app: 'client' },
        {
          egress: [{ peers: [{ namespace: '*' }], ports: [{ protocol: 'tcp', port: 'http' }] }],
        },
      ),
    ],
  ],
  [
    'policy-egress-block',
    'web may reach the nodes but node3, and a host outside',
    () => [
      policy('egress-block', WEB, {
        egress: [{ peers: [{ cidr: '10.10.0.0/24', except: ['10.10.0.13/32'] }, { cidr: '203.0.113.10/32' }] }],
      }),
    ],
  ],
  [
    'policy-union',
    'two policies of web: each lets others in',
    () => [
      policy('union-a', WEB, { ingress: [{ peers: [pods({ role: 'backend' })], ports: [HTTP] }] }),
      policy('union-b', { idx: '1' }, { ingress: [{ peers: [{ namespace: 'prod' }] }] }),
    ],
  ],
  [
    'policy-everybody',
    'one policy of default denies, another lets everybody in',
    () => [policy('deny', {}, { ingress: [] }), policy('everybody', WEB, { ingress: [{}] })],
  ],
  [
    'policy-both-ends',
    'frontends may reach the database only, which lets node1’s client in',
    () => [
      policy('out', { role: 'frontend' }, { egress: [{ peers: [{ podLabels: { app: 'db' }, namespace: 'prod' }] }] }),
      {
        ...policy(
          'in',
          {},
          { ingress: [{ peers: [{ podLabels: { role: 'frontend' }, namespace: 'default' }], ports: [HTTP] }] },
        ),
        namespace: 'prod',
      },
    ],
  ],
  [
    'policy-udp-only',
    'web is there on UDP only',
    () => [policy('udp-only', WEB, { ingress: [{ ports: [{ protocol: 'udp' }] }] })],
  ],
  [
    'policy-global-deny',
    'Calico denies backends first, then Kubernetes lets the namespace in',
    () => [
      global('block-backends', 100, WEB, { ingress: [{ action: 'Deny', peers: [pods({ role: 'backend' })] }] }),
      policy('own-namespace', WEB, { ingress: [{ peers: [pods({})] }] }),
    ],
  ],
  [
    'policy-global-allow',
    'Calico lets the database in before Kubernetes denies all',
    () => [
      global('allow-db', 10, WEB, { ingress: [{ peers: [pods({ app: 'db' })], ports: [HTTP] }] }),
      policy('deny-in', {}, { ingress: [] }),
    ],
  ],
  [
    'policy-global-last',
    'Calico denies what no other policy allows, by address',
    () => [
      policy('frontends', WEB, { ingress: [{ peers: [pods({ role: 'frontend' })] }] }),
      global('nodes-then-nobody', 2000, WEB, {
        ingress: [{ peers: [{ cidr: '10.10.0.0/24' }], ports: [HTTP] }, { action: 'Deny' }],
      }),
    ],
  ],
];

function pods(podLabels: Readonly<Record<string, string>>): PolicyPeer {
  return { podLabels };
}

type Directions = Pick<PolicySpec, 'ingress' | 'egress'>;

function policy(name: string, podLabels: Readonly<Record<string, string>>, directions: Directions): PolicySpec {
  return { namespace: 'default', name, podLabels, ...directions };
}

function global(
  name: string,
  order: number,
  podLabels: Readonly<Record<string, string>>,
  directions: Directions,
): PolicySpec {
  return { kind: 'GlobalNetworkPolicy', namespace: '', name, order, podLabels, ...directions };
}

export const POLICY_FAULTS: readonly Fault[] = faultsOf(
  'policy',
  WORLDS.map(([name, description, policies]) => [
    name,
    description,
    {
      fits: calico,
      policies,
      causes: (t) =>
        t.lab.cluster.pods.map((pod) =>
          cause('POLICY_DENIED_INGRESS POLICY_DENIED_EGRESS CALICO_POLICY_DENIED', t.at(pod.name)),
        ),
    },
  ]),
);
