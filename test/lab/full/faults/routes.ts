import { cause, routeCauses } from '../cause.js';
import { bridged, faultsOf, routed, step, type Fault } from '../fault.js';

const TYPES = ['blackhole', 'unreachable', 'prohibit', 'throw'] as const;
/** What is thrown back finds nothing in the tables that follow. */
const CODES = {
  blackhole: 'ROUTE_BLACKHOLE',
  unreachable: 'ROUTE_UNREACHABLE',
  prohibit: 'ROUTE_PROHIBIT',
  throw: 'NO_ROUTE POD_CIDR_ROUTE_MISSING',
} as const;

const BY_TYPE: readonly Fault[] = faultsOf(
  'route',
  TYPES.flatMap(
    (type) =>
      [
        [
          `route-${type}`,
          `node1 has a route of type ${type} to the pods of node2`,
          {
            causes: (t) => routeCauses(CODES[type], 'node1', t.cidr('node2')),
            steps: (t) => [step('node1', `ip route del ${t.cidr('node2')} && ip route add ${type} ${t.cidr('node2')}`)],
          },
        ],
        [
          `pod-route-${type}`,
          `client-1 has a route of type ${type} to the pods of node3`,
          {
            causes: (t) => [cause(CODES[type], t.at('client-1'), t.cidr('node3'))],
            steps: (t) => [step(t.at('client-1'), `ip route add ${type} ${t.cidr('node3')}`)],
          },
        ],
      ] as const,
  ),
);

export const ROUTE_FAULTS: readonly Fault[] = [
  ...BY_TYPE,
  ...faultsOf('route', [
    [
      'pod-cidr-route-missing',
      'node1 has no route to the pods of node2',
      {
        causes: (t) => [cause('POD_CIDR_ROUTE_MISSING', 'node1', t.cidr('node2'))],
        steps: (t) => [step('node1', `ip route del ${t.cidr('node2')}`)],
      },
    ],
    [
      'pod-cidr-routes-missing',
      'node2 has no route to the pods of other nodes',
      {
        causes: (t) => [cause('POD_CIDR_ROUTE_MISSING', 'node2', `${t.cidr('node1')} | ${t.cidr('node3')}`)],
        steps: (t) => ['node1', 'node3'].map((node) => step('node2', `ip route del ${t.cidr(node)}`)),
      },
    ],
    [
      'route-wrong-gateway',
      "node1 sends node2's pods to node3",
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
        steps: (t) => [step('node1', `ip route replace ${t.cidr('node2')} ${t.via('node3')}`)],
      },
    ],
    [
      'route-swapped',
      'node1 takes node2 for node3 and the other way round',
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', `${t.cidr('node2')} | ${t.cidr('node3')}`)],
        steps: (t) => [
          step(
            'node1',
            `ip route replace ${t.cidr('node2')} ${t.via('node3')} && ip route replace ${t.cidr('node3')} ${t.via('node2')}`,
          ),
        ],
      },
    ],
    [
      'route-dead-gateway',
      "node1 sends node2's pods to nobody",
      {
        causes: () => [
          cause(
            'ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED ROUTE_WRONG_DEVICE',
            'node1',
            '10.10.0.99',
          ),
        ],
        steps: (t) => [step('node1', `ip route replace ${t.cidr('node2')} via 10.10.0.99 dev eth0`)],
      },
    ],
    [
      'route-to-router',
      "node1 sends node2's pods to the router",
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
        fits: routed,
        steps: (t) => [
          step('node1', `ip route del ${t.cidr('node2')}`),
          step('node1', `ip route add ${t.cidr('node2')} via 10.10.0.1 dev eth0`),
        ],
      },
    ],
    [
      'route-wrong-device',
      "node1 looks for node2's pods among its own",
      {
        causes: (t) => [cause('ROUTE_WRONG_DEVICE', 'node1', t.cidr('node2'))],
        steps: (t) => [
          step('node1', `ip route replace ${t.cidr('node2')} dev ${t.isBridged ? 'cni0' : t.veth('web-0')}`),
        ],
      },
    ],
    [
      'route-on-link',
      "node1 takes node2's pods for neighbours on eth0",
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY ROUTE_WRONG_DEVICE', 'node1', t.cidr('node2'))],
        steps: (t) => [step('node1', `ip route replace ${t.cidr('node2')} dev eth0`)],
      },
    ],
    [
      'route-shadowed',
      'node1 has a more specific route for web-1',
      {
        causes: (t) => [cause('ROUTE_SHADOWED ROUTE_WRONG_GATEWAY', 'node1', t.ip('web-1'))],
        steps: (t) => [step('node1', `ip route add ${t.ip('web-1')}/32 ${t.via('node3')}`)],
      },
    ],
    [
      'route-shadowed-blackhole',
      'node2 has a blackhole for client-1',
      {
        causes: (t) => routeCauses('ROUTE_BLACKHOLE ROUTE_SHADOWED', 'node2', t.ip('client-1')),
        steps: (t) => [step('node2', `ip route replace blackhole ${t.ip('client-1')}/32`)],
      },
    ],
    [
      'local-entry-missing',
      "node2's own address is not in table local",
      {
        causes: (t) => [cause('LOCAL_ROUTE_MISSING', 'node2', t.address('node2'))],
        steps: (t) => [step('node2', `ip route del table local local ${t.address('node2')} dev eth0`)],
      },
    ],
    [
      'local-hijack',
      "web-1's address is in node1's table local",
      {
        causes: (t) => [cause('LOCAL_ADDRESS_HIJACK', 'node1', t.ip('web-1'))],
        steps: (t) => [step('node1', `ip route add local ${t.ip('web-1')}/32 dev lo table local`)],
      },
    ],
    [
      'local-hijack-on-path',
      "web-1's address is in node2's table local",
      {
        causes: (t) => [cause('LOCAL_ADDRESS_HIJACK', 'node2', t.ip('web-1'))],
        steps: (t) => [step('node2', `ip route add local ${t.ip('web-1')}/32 dev lo table local`)],
      },
    ],
    [
      'gateway-local-entry-missing',
      'the address of cni0 is not in table local of node2',
      {
        causes: (t) => [cause('LOCAL_ROUTE_MISSING', 'node2', t.gateway('node2'))],
        fits: bridged,
        steps: (t) => [step('node2', `ip route del table local local ${t.gateway('node2')} dev cni0`)],
      },
    ],
    [
      'pod-local-entry-missing',
      "web-1's own address is not in its table local",
      {
        causes: (t) => [cause('LOCAL_ROUTE_MISSING', t.at('web-1'), t.ip('web-1'))],
        steps: (t) => [step(t.at('web-1'), `ip route del table local local ${t.ip('web-1')} dev eth0`)],
      },
    ],
    [
      'route-metric',
      'the wrong of two routes has the lower metric',
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
        steps: (t) => [
          step(
            'node1',
            `ip route del ${t.cidr('node2')} && ip route add ${t.cidr('node2')} ${t.via('node2')} metric 100 && ip route add ${t.cidr('node2')} ${t.via('node3')} metric 50`,
          ),
        ],
      },
    ],
    [
      'route-metric-harmless',
      'the wrong of two routes has the higher metric',
      {
        harmless: 'the right one has the lower metric',
        steps: (t) => [step('node1', `ip route add ${t.cidr('node2')} ${t.via('node3')} metric 50`)],
      },
    ],
    [
      'route-tos',
      'a route for another TOS is there',
      {
        harmless: 'nobody sets that TOS',
        steps: (t) => [step('node1', `ip route add ${t.cidr('node2')} tos 0x10 ${t.via('node3')}`)],
      },
    ],
    [
      'multipath',
      "node1 balances node2's pods over node2 and node3",
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
        fits: routed,
        steps: (t) => [
          step('node1', `ip route del ${t.cidr('node2')}`),
          step(
            'node1',
            `ip route add ${t.cidr('node2')} nexthop ${t.via('node2')} weight 1 nexthop ${t.via('node3')} weight 1`,
          ),
        ],
      },
    ],
    [
      'multipath-dead',
      'one of two next hops is nobody',
      {
        causes: () => [
          cause('ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED', 'node1', '10.10.0.99'),
        ],
        fits: routed,
        steps: (t) => [
          step('node1', `ip route del ${t.cidr('node2')}`),
          step(
            'node1',
            `ip route add ${t.cidr('node2')} nexthop ${t.via('node2')} weight 3 nexthop via 10.10.0.99 dev eth0 weight 1`,
          ),
        ],
      },
    ],
    [
      'nexthop-object',
      'node1 uses a next hop object',
      {
        harmless: 'it leads where the route led',
        fits: routed,
        steps: (t) => [
          step('node1', `ip nexthop add id 7 ${t.via('node2')} && ip route replace ${t.cidr('node2')} nhid 7`),
        ],
      },
    ],
    [
      'nexthop-blackhole',
      'node1 uses a next hop object that is a blackhole',
      {
        causes: (t) => routeCauses('ROUTE_BLACKHOLE', 'node1', t.cidr('node2')),
        steps: (t) => [
          step(
            'node1',
            `ip nexthop add id 8 blackhole && ip route del ${t.cidr('node2')} && ip route add ${t.cidr('node2')} nhid 8`,
          ),
        ],
      },
    ],
    [
      'nexthop-group',
      'node1 uses a group of next hop objects',
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY', 'node1', t.cidr('node2'))],
        fits: routed,
        steps: (t) => [
          step(
            'node1',
            `ip nexthop add id 9 ${t.via('node2')} && ip nexthop add id 10 ${t.via('node3')} && ip nexthop add id 11 group 9,3/10 && ip route replace ${t.cidr('node2')} nhid 11`,
          ),
        ],
      },
    ],
    [
      'route-prefsrc',
      'node1 names another source for the way to node2',
      {
        causes: () => [cause('WRONG_SOURCE_ADDRESS', 'node1', '172.31.99.1')],
        steps: (t) => [
          step(
            'node1',
            `ip address add 172.31.99.1/32 dev lo && ip route replace ${t.cidr('node2')} ${t.via('node2')} src 172.31.99.1`,
          ),
        ],
      },
    ],
    [
      'default-missing',
      'node2 has no default route',
      { causes: () => [cause('NO_ROUTE', 'node2')], steps: () => [step('node2', 'ip route del default')] },
    ],
    [
      'default-dead',
      "node2's default gateway is nobody",
      {
        causes: () => [
          cause('ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED', 'node2', '10.10.0.99'),
        ],
        steps: () => [step('node2', 'ip route replace default via 10.10.0.99 dev eth0')],
      },
    ],
    [
      'pod-default-missing',
      'client-1 has no default route',
      {
        causes: (t) => [cause('NO_ROUTE', t.at('client-1'))],
        steps: (t) => [step(t.at('client-1'), 'ip route del default')],
      },
    ],
    [
      'pod-default-dead',
      "client-1's default gateway is nobody",
      {
        causes: (t) => [
          cause(
            'ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED',
            t.at('client-1'),
            `${t.isCalico ? '169.254.1.9' : t.ip('client-1').replace(/\d+$/, '99')}`,
          ),
        ],
        steps: (t) => [
          step(
            t.at('client-1'),
            t.isCalico
              ? 'ip route replace default via 169.254.1.9 dev eth0 onlink'
              : `ip route replace default via ${t.ip('client-1').replace(/\d+$/, '99')} dev eth0 onlink`,
          ),
        ],
      },
    ],
    [
      'half-of-the-internet',
      'node1 has a dead route for 128.0.0.0/1',
      {
        causes: () => [
          cause('ROUTE_WRONG_GATEWAY GATEWAY_UNREACHABLE NEXTHOP_DEAD NEIGH_FAILED', 'node1', '10.10.0.99'),
        ],
        steps: () => [step('node1', 'ip route add 128.0.0.0/1 via 10.10.0.99 dev eth0')],
      },
    ],
    [
      'service-network-blackhole',
      'node1 has a blackhole for cluster IPs',
      {
        causes: () => routeCauses('ROUTE_BLACKHOLE', 'node1', '10.96.0.0/12'),
        steps: () => [step('node1', 'ip route add blackhole 10.96.0.0/12')],
      },
    ],
    [
      'vip-route',
      'node2 has a route of its own for the load balancer',
      {
        harmless: 'kube-proxy translates before the route is asked',
        steps: () => [step('node2', 'ip route add 198.51.100.10/32 via 10.10.0.13 dev eth0')],
      },
    ],
    [
      'pod-host-route-missing',
      'node2 has no route to web-1',
      {
        causes: (t) => routeCauses('POD_ROUTE_MISSING', 'node2', t.ip('web-1')),
        fits: (t) => !t.isBridged,
        steps: (t) => [step('node2', `ip route del ${t.ip('web-1')}/32`)],
      },
    ],
    [
      'pod-host-route-swapped',
      "node2 has web-1's route on client-1's veth",
      {
        causes: (t) => [cause('ROUTE_WRONG_DEVICE', 'node2', t.ip('web-1'))],
        fits: (t) => !t.isBridged,
        steps: (t) => [step('node2', `ip route replace ${t.ip('web-1')}/32 dev ${t.veth('client-1')} scope link`)],
      },
    ],
    [
      'bridge-route-missing',
      'node2 has no route to its own pods',
      {
        causes: () => [cause('POD_ROUTE_MISSING POD_CIDR_ROUTE_MISSING', 'node2')],
        fits: bridged,
        steps: (t) => [step('node2', `ip route del ${t.cidr('node2')}`)],
      },
    ],
    [
      'pod-segment-route-missing',
      'client-1 sends neighbours to the gateway',
      {
        causes: (t) => [cause('ROUTE_WRONG_GATEWAY ASYMMETRIC_ROUTE', t.at('client-1'), t.cidr('node2'))],
        fits: bridged,
        steps: (t) => [
          step(t.at('client-1'), `ip route replace ${t.cidr('node2')} via ${t.gateway('node2')} dev eth0 onlink`),
        ],
      },
    ],
    [
      'default-ttl-2',
      "client-1's packets live for two hops",
      {
        causes: (t) => [cause('TTL_EXCEEDED', t.at('client-1'), 'ip_default_ttl')],
        steps: (t) => [step(t.at('client-1'), 'sysctl -qw net.ipv4.ip_default_ttl=2')],
      },
    ],
    [
      'default-ttl-1',
      "client-1's packets live for one hop",
      {
        causes: (t) => [cause('TTL_EXCEEDED', t.at('client-1'), 'ip_default_ttl')],
        steps: (t) => [step(t.at('client-1'), 'sysctl -qw net.ipv4.ip_default_ttl=1')],
      },
    ],
    [
      'host-loop',
      "node1 and node2 send web-2's address to each other",
      {
        causes: (t) => [
          cause('ROUTING_LOOP ROUTE_WRONG_GATEWAY ROUTE_SHADOWED', 'node1', t.ip('web-2')),
          cause('ROUTING_LOOP ROUTE_WRONG_GATEWAY ROUTE_SHADOWED', 'node2', t.ip('web-2')),
        ],
        fits: routed,
        steps: (t) => [
          step('node1', `ip route add ${t.ip('web-2')}/32 ${t.via('node2')}`),
          step('node2', `ip route add ${t.ip('web-2')}/32 ${t.via('node1')}`),
        ],
      },
    ],
  ]),
];
