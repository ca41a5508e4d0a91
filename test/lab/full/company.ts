import type { Socket } from '../cluster/spec.js';
import { faultsOf, step, type Fault, type Step } from './fault.js';

const PODS_IN_THE_MESH = ['client-1', 'web-1'] as const;
const PORTS: readonly Socket[] = [
  { protocol: 'tcp', port: 8080 },
  { protocol: 'udp', port: 5353 },
];
/** What envoy listens on: for what leaves the pod, for what comes in. */
const ENVOY: readonly Socket[] = [
  { protocol: 'tcp', port: 15001 },
  { protocol: 'tcp', port: 15006 },
];

/** As dockerd 25 writes them, with one published port. It puts its rules in front. */
const DOCKER = `*filter
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-I FORWARD 1 -j DOCKER-USER
-I FORWARD 2 -j DOCKER-ISOLATION-STAGE-1
-I FORWARD 3 -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-I FORWARD 4 -o docker0 -j DOCKER
-I FORWARD 5 -i docker0 ! -o docker0 -j ACCEPT
-I FORWARD 6 -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.17.0.2:80
COMMIT
`;

const DOCKER_LINKS = [
  'ip link add docker0 address 02:42:ac:11:00:01 type bridge',
  'ip address add 172.17.0.1/16 brd + dev docker0',
  'ip link set docker0 up',
].join(' && ');

/** As firewalld 1.3 writes it for nodes whose interfaces are in zone `trusted`. */
const FIREWALLD = `table inet firewalld {
  chain mangle_PREROUTING {
    type filter hook prerouting priority mangle + 10; policy accept;
    jump mangle_PREROUTING_ZONES
  }
  chain mangle_PREROUTING_ZONES { return; }
  chain nat_PREROUTING {
    type nat hook prerouting priority dstnat + 10; policy accept;
    jump nat_PREROUTING_ZONES
  }
  chain nat_PREROUTING_ZONES { return; }
  chain nat_POSTROUTING {
    type nat hook postrouting priority srcnat + 10; policy accept;
    jump nat_POSTROUTING_ZONES
  }
  chain nat_POSTROUTING_ZONES { return; }
  chain nat_OUTPUT {
    type nat hook output priority -90; policy accept;
    jump nat_OUTPUT_POLICIES_pre
  }
  chain nat_OUTPUT_POLICIES_pre { return; }
  chain filter_PREROUTING {
    type filter hook prerouting priority filter + 10; policy accept;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
    meta nfproto ipv6 fib saddr . mark . iif oif missing drop
  }
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    jump filter_INPUT_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24 } reject with icmpv6 addr-unreachable
    jump filter_FORWARD_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_OUTPUT {
    type filter hook output priority filter + 10; policy accept;
    ct state { established, related } accept
    oifname "lo" accept
    ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24 } reject with icmpv6 addr-unreachable
  }
  chain filter_INPUT_ZONES { goto filter_IN_trusted; }
  chain filter_FORWARD_ZONES { goto filter_FWD_trusted; }
  chain filter_IN_trusted {
    jump filter_IN_trusted_deny
    accept
  }
  chain filter_IN_trusted_deny { return; }
  chain filter_FWD_trusted {
    jump filter_FWD_trusted_deny
    accept
  }
  chain filter_FWD_trusted_deny { return; }
}
`;

/** What istio-init 1.20 writes in a pod. Envoy runs as user 1337. */
const ISTIO = `*nat
:ISTIO_INBOUND - [0:0]
:ISTIO_IN_REDIRECT - [0:0]
:ISTIO_OUTPUT - [0:0]
:ISTIO_REDIRECT - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A OUTPUT -p tcp -j ISTIO_OUTPUT
-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15021 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN
-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN
-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
-A ISTIO_OUTPUT -j ISTIO_REDIRECT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
COMMIT
`;

/** What healthy nodes and pods have beside Kubernetes. Every probe that works must stay without an alarm. */
export const COMPANY: readonly Fault[] = faultsOf('company', [
  [
    'docker',
    'node1 has docker',
    {
      harmless: 'its rules are for docker0',
      steps: (t) => [step('node1', DOCKER_LINKS), fed('node1', `${t.iptables}-restore --noflush`, DOCKER)],
    },
  ],
  [
    'firewalld',
    'node2 has firewalld with its interfaces in the zone trusted',
    { harmless: 'it accepts all', steps: () => [fed('node2', 'nft -f -', FIREWALLD)] },
  ],
  [
    'istio',
    'client-1 and web-1 are in a mesh',
    {
      harmless: 'envoy takes what is redirected',
      undecidable: 'which user asks is in no question: envoy itself may try what nobody else can reach',
      steps: (t) => PODS_IN_THE_MESH.map((pod) => fed(t.at(pod), 'iptables-nft-restore --noflush', ISTIO)),
      listens: (t) => Object.fromEntries(PODS_IN_THE_MESH.map((pod) => [t.at(pod), [...PORTS, ...ENVOY]])),
    },
  ],
]);

function fed(at: string, command: string, input: string): Step {
  return step(at, `${command} <<'END'\n${input}END\n`);
}
