import type { PolicyRef } from './policy-ref.js';
import { recogniseDrop, type DropPlace, type PolicyDrop } from './recognise-drop.js';

// Shapes from iptables-save of Calico 3.29 (lab case calico-bgp), k3s (kube-router) and nft of kind; some shortened.
const KNOWN: readonly PolicyRef[] = [
  { kind: 'NetworkPolicy', namespace: 'prod', name: 'other' },
  { kind: 'NetworkPolicy', namespace: 'prod', name: 'db-allow-frontend' },
];
const filter = (chain: string, rule?: string): DropPlace => ({ table: 'filter', chain, rule });

describe('recogniseDrop', () => {
  it.each<{ title: string; place: DropPlace; drop: PolicyDrop | undefined }>([
    {
      title: 'Calico: nobody lets it in',
      place: filter(
        'cali-tw-cali0d7763386da',
        '-A cali-tw-cali0d7763386da -m comment --comment "cali:uNPReN9_BghUJj7S" -m comment --comment "Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP',
      ),
      drop: {
        enforcer: 'calico',
        direction: 'ingress',
        kind: 'default-deny',
        tier: 'default',
        interface: 'cali0d7763386da',
      },
    },
    {
      title: 'Calico 3.29: the tier is named',
      place: filter(
        'cali-fw-calib6ef6beca26',
        '-A cali-fw-calib6ef6beca26 -m comment --comment "cali:x" -m comment --comment "End of tier security. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP',
      ),
      drop: {
        enforcer: 'calico',
        direction: 'egress',
        kind: 'default-deny',
        tier: 'security',
        interface: 'calib6ef6beca26',
      },
    },
    {
      title: 'Calico: no profile',
      place: filter(
        'cali-fw-cali0d7763386da',
        '-A cali-fw-cali0d7763386da -m comment --comment "cali:-Cd3HoX8B--p7buC" -m comment --comment "Drop if no profiles matched" -j DROP',
      ),
      drop: { enforcer: 'calico', direction: 'egress', kind: 'no-profile', interface: 'cali0d7763386da' },
    },
    {
      title: 'Calico: an invalid packet is no matter of policy',
      place: filter(
        'cali-tw-cali0d7763386da',
        '-A cali-tw-cali0d7763386da -m comment --comment "cali:QVMhhRt5gf5LggoJ" -m conntrack --ctstate INVALID -j DROP',
      ),
      drop: { enforcer: 'calico', direction: 'ingress', kind: 'guard', interface: 'cali0d7763386da' },
    },
    {
      title: 'Calico: encapsulation out of a pod',
      place: filter(
        'cali-fw-cali0d7763386da',
        '-A cali-fw-cali0d7763386da -p udp -m comment --comment "Drop VXLAN encapped packets originating in workloads" -m multiport --dports 4789 -j DROP',
      ),
      drop: { enforcer: 'calico', direction: 'egress', kind: 'guard', interface: 'cali0d7763386da' },
    },
    {
      title: 'Calico: an interface that is no workload',
      place: filter(
        'cali-from-wl-dispatch',
        '-A cali-from-wl-dispatch -m comment --comment "Unknown interface" -j DROP',
      ),
      drop: { enforcer: 'calico', direction: 'egress', kind: 'guard' },
    },
    {
      title: 'Calico: a policy known by the hash in its chain (3.29 wrote prod/knp.default.db-allow-frontend)',
      place: filter('cali-pi-__SC5PBpb3xjy65hPH5c', '-A cali-pi-__SC5PBpb3xjy65hPH5c -s 10.0.0.0/8 -j DROP'),
      drop: { enforcer: 'calico', kind: 'rule', direction: 'ingress', policy: KNOWN[1] },
    },
    {
      title: 'Calico: a hash that nobody here has',
      place: filter('cali-po-_tTE-E7yY40ogArNVgKt', '-A cali-po-_tTE-E7yY40ogArNVgKt -j DROP'),
      drop: { enforcer: 'calico', kind: 'rule', direction: 'egress', policy: undefined },
    },
    {
      title: 'Calico: a short name stands in the chain',
      place: filter('cali-po-default.block', '-A cali-po-default.block -j DROP'),
      drop: {
        enforcer: 'calico',
        kind: 'rule',
        direction: 'egress',
        policy: { kind: 'projectcalico.org/GlobalNetworkPolicy', namespace: undefined, name: 'block' },
      },
    },
    {
      title: 'Calico: the comment names it',
      place: filter(
        'cali-pi-_tTE-E7yY40ogArNVgKt',
        '-A cali-pi-_tTE-E7yY40ogArNVgKt -m comment --comment "cali:M4" -m comment --comment "Policy prod/knp.default.db ingress" -j DROP',
      ),
      drop: {
        enforcer: 'calico',
        kind: 'rule',
        direction: 'ingress',
        policy: { kind: 'NetworkPolicy', namespace: 'prod', name: 'db' },
      },
    },
    {
      title: 'Calico 3.31: the comment names kind and policy',
      place: filter(
        'cali-pi-_x',
        '-A cali-pi-_x -m comment --comment "cali:M4" -m comment --comment "GlobalNetworkPolicy deny-all ingress" -j DROP',
      ),
      drop: {
        enforcer: 'calico',
        kind: 'rule',
        direction: 'ingress',
        policy: { kind: 'projectcalico.org/GlobalNetworkPolicy', namespace: undefined, name: 'deny-all' },
      },
    },
    {
      title: 'Calico with native nftables',
      place: {
        table: 'ip calico',
        chain: 'filter-cali-tw-cali0d7763386da',
        rule: 'meta mark & 0x00020000 == 0x00000000 counter packets 0 bytes 0 drop comment "cali:x; End of tier default. Drop if no policies passed packet"',
      },
      drop: {
        enforcer: 'calico',
        direction: 'ingress',
        kind: 'default-deny',
        tier: 'default',
        interface: 'cali0d7763386da',
      },
    },
    {
      title: 'Calico: a host endpoint',
      place: filter('cali-fh-eth0', '-A cali-fh-eth0 -m comment --comment "Drop if no profiles matched" -j DROP'),
      drop: { enforcer: 'calico', direction: 'ingress', kind: 'no-profile', interface: 'eth0' },
    },
    {
      title: 'kube-router: the pod’s chain rejects what no policy marked',
      place: filter(
        'KUBE-POD-FW-XIOATVM5TOINSO4V',
        '-A KUBE-POD-FW-XIOATVM5TOINSO4V -m mark ! --mark 0x10000/0x10000 -m comment --comment "rule to REJECT traffic destined for POD name:argocd-application-controller-0 namespace: argocd" -j REJECT --reject-with icmp-port-unreachable',
      ),
      drop: {
        enforcer: 'kube-router',
        kind: 'default-deny',
        pod: { namespace: 'argocd', name: 'argocd-application-controller-0' },
      },
    },
    {
      title: 'kindnet: asked in user space',
      place: {
        table: 'inet kindnet-network-policies',
        chain: 'postrouting',
        rule: 'ip daddr @podips-v4 queue flags bypass to 101',
      },
      drop: { enforcer: 'kindnet', kind: 'queue' },
    },
    {
      title: 'kube-network-policies: asked in user space',
      place: { table: 'kube-network-policies', chain: 'postrouting', rule: 'ip saddr @podips-v4 queue to 100' },
      drop: { enforcer: 'kube-network-policies', kind: 'queue' },
    },
    {
      title: 'weave',
      place: filter('WEAVE-NPC-EGRESS', '-A WEAVE-NPC-EGRESS -m mark ! --mark 0x40000/0x40000 -j DROP'),
      drop: { enforcer: 'weave', kind: 'default-deny', direction: 'egress' },
    },
    { title: 'an administrator’s rule', place: filter('FORWARD', '-A FORWARD -s 10.0.0.0/8 -j DROP'), drop: undefined },
    {
      title: 'kube-proxy',
      place: filter('KUBE-FORWARD', '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP'),
      drop: undefined,
    },
    { title: 'a chain that only sounds like it', place: filter('california-pi-x', '-j DROP'), drop: undefined },
  ])('$title', ({ place, drop }) => {
    expect(recogniseDrop(place, KNOWN)).toEqual(drop);
  });
});
