import { codesOf } from './entry.js';

const code = codesOf('ROUTE');

/** Routes and policy rules. */
export const ROUTE_CODES = {
  NO_ROUTE: code('critical', {
    message:
      '{subject} has no route to {destination}, so its kernel refuses the packet (network unreachable)[: {text}].',
    cause: 'The route was deleted (also: with its interface, or when the interface went down), or never written.',
    check: ['ip route get {destination}  # run it {at}', 'ip route; ip rule'],
    remedy:
      '{at}: add the missing route: ip route add {destination} via GATEWAY dev INTERFACE. For a pod: recreate it, the CNI plugin writes its routes.',
  }),
  ROUTE_BLACKHOLE: code('critical', {
    message: 'A blackhole route {at} discards packets to {destination}: {text}.',
    cause:
      'Somebody wrote the route by hand, or a routing agent (BIRD) holds a block of addresses that has moved away.',
    check: ['ip route get {destination}  # run it {at}', 'ip route show table all type blackhole'],
    remedy: '{at}: ip route del {text}',
  }),
  ROUTE_UNREACHABLE: code('critical', {
    message: 'An unreachable route {at} refuses packets to {destination} (host unreachable): {text}.',
    cause: 'Somebody or a routing agent wrote a route of type unreachable for this destination.',
    check: ['ip route get {destination}  # run it {at}', 'ip route show table all type unreachable'],
    remedy: '{at}: ip route del {text}',
  }),
  ROUTE_PROHIBIT: code('critical', {
    message: 'A prohibit route {at} refuses packets to {destination} (administratively prohibited): {text}.',
    cause: 'Somebody or a routing agent wrote a route of type prohibit for this destination.',
    check: ['ip route get {destination}  # run it {at}', 'ip route show table all type prohibit'],
    remedy: '{at}: ip route del {text}',
  }),
  ROUTE_WRONG_DEVICE: code('critical', {
    message: '{subject} sends packets to {destination} out of {actual}; the way there is {expected}.',
    cause: 'The route was changed, or another one took its place.',
    check: ['ip route get {destination}  # run it {at}'],
    remedy: '{at}: ip route replace {destination} dev {expected}',
  }),
  ROUTE_WRONG_GATEWAY: code('critical', {
    message: '{subject} sends packets to {destination} to {actual}; the right gateway is {expected}.',
    cause: 'The route was changed, or a node got another address and the CNI agent did not write the route again.',
    check: ['ip route get {destination}  # run it {at}'],
    remedy: '{at}: ip route replace {destination} via {expected}',
  }),
  ROUTE_SHADOWED: code('critical', {
    message:
      'A more specific route {at} sends packets to {destination} by {actual}; they should go by {expected}: {text}.',
    cause: 'The right route is there, but a longer prefix wins: a route of a VPN, of another plugin, or by hand.',
    check: ['ip route get {destination}  # run it {at}', 'ip route show root {destination}'],
    remedy: '{at}: ip route del {text}',
  }),
  RULE_DIVERTS: code('critical', {
    message:
      'A policy rule {at} makes packets to {destination} ask another routing table[; they go by {actual} and should go by {expected}]: {text}.',
    cause:
      'An ip rule with a smaller number than the rule for table main matches: of a VPN, a cloud agent for secondary interfaces, or by hand.',
    check: ['ip rule  # run it {at}', 'ip route show table NUMBER'],
    remedy:
      '{at}: remove or narrow the rule (ip rule del pref {priority}), or add the route to {destination} to that table.',
  }),
  RULE_PROHIBIT: code('critical', {
    message: 'A policy rule {at} refuses packets to {destination}: {text}.',
    cause: 'An ip rule of type prohibit, unreachable or blackhole matches before any route is looked at.',
    check: ['ip rule  # run it {at}'],
    remedy: '{at}: ip rule del pref {priority}',
  }),
  RULE_MISSING: code('critical', {
    message: '{subject} lacks the policy rule that leads to routing table {table}: routes there are not used.',
    cause: 'The rule was deleted; the CNI or cloud agent that wrote it does not write it again until it is restarted.',
    check: ['ip rule  # run it {at}', 'ip route show table {table}'],
    remedy:
      '{at}: ip rule add pref {priority} lookup {table} (a CNI agent writes its own rules again when it is restarted)',
  }),
  NEXTHOP_DEAD: code('critical', {
    message: 'The route to {destination} {at} is dead, because its interface is down or has no carrier: {text}.',
    cause:
      'The kernel does not use routes whose interface is down (or, with ignore_routes_with_linkdown, without carrier).',
    check: ['ip route get {destination}  # run it {at}', 'ip route  # look for dead, linkdown'],
    remedy: '{at}: bring the interface of that route up: ip link set INTERFACE up',
  }),
  GATEWAY_UNREACHABLE: code('critical', {
    message: 'The gateway {gateway} cannot be reached from {subject}.',
    cause: 'The gateway is not on any segment of this host, or does not answer there.',
    check: ['ip route get {gateway}  # run it {at}', 'arping -I INTERFACE {gateway}'],
    remedy: '{at}: correct the gateway of the route, or bring {gateway} back.',
  }),
  ROUTING_LOOP: code('critical', {
    message:
      'The packet to {destination} goes in circles: it comes back to {subject} again and again until its hop limit ends.',
    cause: 'The routes of the places that it visits point at each other. The evidence lists them.',
    check: ['ip route get {destination}  # run it on each of the places', 'traceroute -n {destination}'],
    remedy: 'Correct the route to {destination} at the first place that does not lead towards it[: {text}].',
  }),
  TTL_EXCEEDED: code('critical', {
    message: 'The hop limit of the packet to {destination} ends at {subject}, which drops it.',
    cause: 'A routing loop, or a rule that sets a small TTL.',
    check: ['traceroute -n {destination}', 'iptables -t mangle -S | grep TTL  # run it {at}'],
    remedy: 'Look for routes that point at each other, and for mangle rules with the target TTL or HL on the way.',
  }),
  ASYMMETRIC_ROUTE: code('info', {
    message: 'The connection does not take the same way in both directions at {subject}[: {text}].',
    cause:
      'Packets of one connection are routed or translated differently, so that a host which keeps state sees only half of it.',
    check: ['ip route get ADDRESS from ADDRESS  # run it at both ends'],
    remedy: 'Let both directions pass the same hosts: correct the route back, or masquerade on the way in.',
  }),
  POD_CIDR_ROUTE_MISSING: code('critical', {
    message: '{subject} has no route to the pods of node {owner} ({destination})[; {alsoText} takes them].',
    cause:
      'The CNI agent writes one route for each other node. It has not (not running, cannot see the node), or somebody deleted it.',
    check: [
      'ip route get {destination}  # run it {at}',
      'kubectl -n kube-system get pods -o wide  # the CNI agent of the node',
    ],
    remedy: '{at}: ip route add {destination} via {gateway} dev {interface}, or restart the CNI agent',
  }),
  POD_ROUTE_MISSING: code('critical', {
    message: '{subject} has no route to its own pod {destination}: packets for it leave the node again or are refused.',
    cause: 'The route to the interface of the pod was deleted, or the address of the bridge (which makes it) is gone.',
    check: ['ip route get {destination}  # run it {at}'],
    remedy: '{at}: ip route add {destination} dev {interface}, or recreate the pod',
  }),
  LOCAL_ROUTE_MISSING: code('critical', {
    message:
      '{subject} does not take {destination} for its own address: it has no entry for it in routing table local, or that table is asked too late.',
    cause:
      'The entry, which the kernel makes with the address, was deleted, or table local is asked too late (ip rule).',
    check: ['ip route show table local  # run it {at}', 'ip rule  # "0: from all lookup local" has to be first'],
    remedy: '{at}: ip route add local {destination} dev {interface} table local',
  }),
  LOCAL_ADDRESS_HIJACK: code('critical', {
    message:
      '{subject} takes packets to {destination} for itself, because the address is configured there: they do not go on to where they belong.',
    cause: 'An address of a pod, service or another host was added to an interface of this host.',
    check: ['ip addr | grep {destination}  # run it {at}', 'ip route get {destination}  # says local'],
    remedy: '{at}: ip addr del {destination} dev INTERFACE[ (the kernel shows: {text})]',
  }),
  WRONG_SOURCE_ADDRESS: code('warning', {
    message:
      'The answer comes to {subject} from {actual}, not from the address that was asked[: {text}]; the client does not know it and drops it.',
    cause: 'The answer went past the host that had translated the request, so the translation was not undone.',
    check: ['conntrack -L | grep ADDRESS  # run it on the node that translated', 'tcpdump -ni any host ADDRESS'],
    remedy:
      'Let the answer pass the same host as the request: masquerade the request there, or correct the route back.',
  }),
} as const;
