import type { Target } from '../target.js';
import { cause } from '../cause.js';
import { bridged, calico, faultsOf, overlay, quickArp, step, type Step } from '../fault.js';

/** Makes the VXLAN device of a node anew with other parameters, and puts back what hung on it. */
function remade(t: Target, node: string, parameters: string): Step {
  const { device } = t.vtep;
  const others = ['node1', 'node2', 'node3'].filter((other) => other !== node);
  const lines = [
    `ip link del ${device}`,
    `ip link add ${device} address ${t.vtepMac(node)} mtu 1450 type vxlan ${parameters} dev eth0 nolearning`,
    `ip address add ${t.vtepAddress(node)}/32 dev ${device}`,
    quickArp(device),
    `ip link set ${device} up`,
    ...others.flatMap((other) => [
      `ip neigh add ${t.vtepAddress(other)} lladdr ${t.vtepMac(other)} dev ${device} nud permanent`,
      `ip route add ${t.cidr(other)} ${t.via(other)}`,
      `bridge fdb add ${t.vtepMac(other)} dev ${device} dst ${t.address(other)} self permanent`,
    ]),
  ];
  return step(node, lines.join(' && '));
}

function fdb(t: Target, what: string): Step {
  return step(
    'node1',
    `bridge fdb del ${t.vtepMac('node2')} dev ${t.vtep.device} dst ${t.address('node2')} self; ${what}`,
  );
}

export const OVERLAY_FAULTS = faultsOf('overlay', [
  [
    'fdb-missing',
    'node1 does not know the VTEP of node2',
    {
      causes: (t) => [cause('FDB_MISSING', 'node1', t.vtep.device, t.vtepMac('node2'))],
      fits: overlay,
      steps: (t) => [fdb(t, 'true')],
    },
  ],
  [
    'fdb-wrong-vtep',
    'node1 sends frames for node2 to node3',
    {
      causes: (t) => [cause('FDB_WRONG_VTEP', 'node1', t.vtepMac('node2'))],
      fits: overlay,
      steps: (t) => [
        fdb(t, `bridge fdb add ${t.vtepMac('node2')} dev ${t.vtep.device} dst ${t.address('node3')} self permanent`),
      ],
    },
  ],
  [
    'fdb-dead-vtep',
    'node1 sends frames for node2 to nobody',
    {
      causes: () => [cause('FDB_WRONG_VTEP', 'node1', '10.10.0.99')],
      fits: overlay,
      steps: (t) => [fdb(t, `bridge fdb add ${t.vtepMac('node2')} dev ${t.vtep.device} dst 10.10.0.99 self permanent`)],
    },
  ],
  [
    'fdb-wrong-port',
    'node1 sends frames for node2 to another port',
    {
      causes: () => [cause('TUNNEL_PORT_MISMATCH', 'node1', '9999')],
      fits: overlay,
      steps: (t) => [
        fdb(
          t,
          `bridge fdb add ${t.vtepMac('node2')} dev ${t.vtep.device} dst ${t.address('node2')} port 9999 self permanent`,
        ),
      ],
    },
  ],
  [
    'fdb-wrong-vni',
    'node1 sends frames for node2 with another VNI',
    {
      causes: () => [cause('VNI_MISMATCH', 'node1', 'vni 77')],
      fits: overlay,
      steps: (t) => [
        fdb(
          t,
          `bridge fdb add ${t.vtepMac('node2')} dev ${t.vtep.device} dst ${t.address('node2')} vni 77 self permanent`,
        ),
      ],
    },
  ],
  [
    'fdb-default',
    'node1 finds node2 by the entry for all other MACs',
    {
      harmless: 'unknown MACs go to node2, where this one is',
      fits: overlay,
      steps: (t) => [
        fdb(t, `bridge fdb append 00:00:00:00:00:00 dev ${t.vtep.device} dst ${t.address('node2')} self permanent`),
      ],
    },
  ],
  [
    'vxlan-wrong-vni',
    'node2 uses another VNI',
    {
      causes: (t) => [cause('VNI_MISMATCH', 'node2', t.vtep.device)],
      fits: overlay,
      steps: (t) => [remade(t, 'node2', `id 77 local ${t.address('node2')} dstport ${t.vtep.port}`)],
    },
  ],
  [
    'vxlan-wrong-port',
    'node2 uses another UDP port',
    {
      causes: (t) => [cause('TUNNEL_PORT_MISMATCH', 'node2', t.vtep.device)],
      fits: overlay,
      steps: (t) => [remade(t, 'node2', `id ${t.vtep.vni} local ${t.address('node2')} dstport 9999`)],
    },
  ],
  [
    'vxlan-wrong-local',
    'node2 sends from another address of its own',
    {
      causes: () => [cause('TUNNEL_LOCAL_WRONG', 'node2', '10.10.0.112')],
      fits: overlay,
      steps: (t) => [
        step('node2', 'ip address add 10.10.0.112/24 dev eth0'),
        remade(t, 'node2', `id ${t.vtep.vni} local 10.10.0.112 dstport ${t.vtep.port}`),
      ],
    },
  ],
  [
    'vxlan-foreign-local',
    'node2 sends from an address that it does not have',
    {
      causes: () => [cause('TUNNEL_LOCAL_WRONG', 'node2', '10.10.0.88')],
      fits: overlay,
      steps: (t) => [remade(t, 'node2', `id ${t.vtep.vni} local 10.10.0.88 dstport ${t.vtep.port}`)],
    },
  ],
  [
    'vxlan-no-local',
    'node2 leaves the outer source to the routes',
    {
      harmless: 'the routes choose the same address',
      fits: overlay,
      steps: (t) => [remade(t, 'node2', `id ${t.vtep.vni} dstport ${t.vtep.port}`)],
    },
  ],
  [
    'vtep-neighbour-missing',
    'node1 has no MAC for the VTEP of node2',
    {
      causes: (t) => [cause('NEIGH_MISSING', 'node1', t.vtepAddress('node2'))],
      fits: overlay,
      steps: (t) => [step('node1', `ip neigh del ${t.vtepAddress('node2')} dev ${t.vtep.device}`)],
    },
  ],
  [
    'vtep-neighbour-wrong',
    "node1 has node3's MAC for the VTEP of node2",
    {
      causes: (t) => [cause('NEIGH_WRONG_MAC', 'node1', t.vtepAddress('node2'))],
      fits: overlay,
      steps: (t) => [
        step(
          'node1',
          `ip neigh replace ${t.vtepAddress('node2')} lladdr ${t.vtepMac('node3')} dev ${t.vtep.device} nud permanent`,
        ),
      ],
    },
  ],
  [
    'vtep-mac-changed',
    'the VXLAN device of node2 has another MAC',
    {
      causes: (t) => [cause('MAC_MISMATCH NEIGH_WRONG_MAC', 'node2', t.vtep.device)],
      fits: overlay,
      steps: (t) => [step('node2', `ip link set ${t.vtep.device} address 66:00:00:00:00:99`)],
    },
  ],
  [
    'vtep-address-missing',
    'the VXLAN device of node2 has no address',
    {
      causes: (t) => [cause('ADDRESS_MISSING', 'node2', t.vtep.device)],
      fits: overlay,
      steps: (t) => [step('node2', `ip address flush dev ${t.vtep.device}`)],
    },
  ],
  [
    'vxlan-blocked-in',
    'node2 drops incoming VXLAN',
    {
      causes: () => [cause('FILTER_DROP TUNNEL_PORT_BLOCKED', 'node2', 'filter/INPUT/1')],
      fits: overlay,
      steps: (t) => [step('node2', `${t.iptables} -I INPUT -p udp --dport ${t.vtep.port} -j DROP`)],
    },
  ],
  [
    'vxlan-blocked-out',
    'node2 drops outgoing VXLAN',
    {
      causes: () => [cause('FILTER_DROP TUNNEL_PORT_BLOCKED', 'node2', 'filter/OUTPUT/1')],
      fits: overlay,
      steps: (t) => [step('node2', `${t.iptables} -I OUTPUT -p udp --dport ${t.vtep.port} -j DROP`)],
    },
  ],
  [
    'vxlan-blocked-raw',
    'node2 drops VXLAN of node1 in raw',
    {
      causes: () => [cause('FILTER_DROP TUNNEL_PORT_BLOCKED', 'node2', 'raw/PREROUTING/1')],
      fits: overlay,
      steps: (t) => [
        step(
          'node2',
          `${t.iptables} -t raw -I PREROUTING -s ${t.address('node1')} -p udp --dport ${t.vtep.port} -j DROP`,
        ),
      ],
    },
  ],
  [
    'vxlan-peers-incomplete',
    "node1 is not in node2's set of VXLAN peers",
    {
      causes: () => [
        cause('FILTER_DROP TUNNEL_PORT_BLOCKED IPSET_STALE', 'node2', 'cali40all-vxlan-net | filter/cali-INPUT'),
      ],
      fits: (t) => t.isCalico && t.isOverlay,
      steps: (t) => [step('node2', `ipset del cali40all-vxlan-net ${t.address('node1')}`)],
    },
  ],
  [
    'bridge-fdb-wrong-port',
    "web-1's MAC is pinned to client-1's port",
    {
      causes: (t) => [cause('FDB_WRONG_PORT', 'node2', t.podMac('web-1'))],
      fits: bridged,
      steps: (t) => [
        step('node2', `bridge fdb replace ${t.podMac('web-1')} dev ${t.veth('client-1')} master static sticky`),
      ],
    },
  ],
  [
    'policy-set-empty',
    'the set of allowed sources is empty on node1',
    {
      causes: () => [cause('IPSET_STALE POLICY_NOT_PROGRAMMED', 'node1', 'cali40s')],
      fits: calico,
      steps: () => [step('node1', 'ipset flush $(ipset list -n | grep cali40s)')],
    },
  ],
  [
    'workload-not-dispatched',
    'no rule dispatches what comes from web-1',
    {
      causes: () => [cause('FILTER_DROP CHAIN_MISSING', 'node2', 'cali-from-wl-dispatch')],
      fits: calico,
      steps: (t) => [step('node2', `${t.iptables} -D cali-from-wl-dispatch 1`)],
    },
  ],
]);
