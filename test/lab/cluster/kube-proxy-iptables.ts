import { createHash } from 'node:crypto';
import type { RuleSet } from './rule-set.js';
import { endpointsOf, type ClusterSpec, type ServiceSpec } from './spec.js';

const MASQUERADE_MARK = '0x4000/0x4000';

/** Adds the rules that kube-proxy (iptables mode, clusterCIDR set) and kubelet keep on every node. */
export function addKubeProxyRules(rules: RuleSet, cluster: ClusterSpec): void {
  addFrame(rules);
  const services = cluster.services.toSorted((a, b) => (portName(a) < portName(b) ? -1 : 1));
  for (const service of services) addService(rules, service, cluster);
  rules.add(
    'nat',
    'KUBE-SERVICES',
    `${comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  );
}

/** The chains and jumps that do not depend on services. */
function addFrame(rules: RuleSet): void {
  for (const chain of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY', 'KUBE-PROXY-CANARY']) rules.chain('mangle', chain);
  for (const table of ['filter', 'nat'])
    for (const chain of ['KUBE-KUBELET-CANARY', 'KUBE-PROXY-CANARY', 'KUBE-SERVICES', 'KUBE-NODEPORTS'])
      rules.chain(table, chain);
  for (const chain of ['KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL']) rules.chain('filter', chain);
  const isNew = '-m conntrack --ctstate NEW';
  const firewall = `${isNew} ${comment('kubernetes load balancer firewall')} -j KUBE-PROXY-FIREWALL`;
  const external = `${isNew} ${comment('kubernetes externally-visible service portals')} -j KUBE-EXTERNAL-SERVICES`;
  const services = `${isNew} ${comment('kubernetes service portals')} -j KUBE-SERVICES`;
  const healthChecks = `${comment('kubernetes health check service ports')} -j KUBE-NODEPORTS`;
  const forward = `${comment('kubernetes forwarding rules')} -j KUBE-FORWARD`;
  rules.add('filter', 'INPUT', firewall, healthChecks, external, '-j KUBE-FIREWALL');
  rules.add('filter', 'FORWARD', firewall, forward, services, external);
  rules.add('filter', 'OUTPUT', firewall, services, '-j KUBE-FIREWALL');
  rules.add(
    'filter',
    'KUBE-FIREWALL',
    `! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment('block incoming localnet connections')} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
  );
  rules.add(
    'filter',
    'KUBE-FORWARD',
    '-m conntrack --ctstate INVALID -j DROP',
    `${comment('kubernetes forwarding rules')} -m mark --mark ${MASQUERADE_MARK} -j ACCEPT`,
    `${comment('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  );
  rules.add('nat', 'PREROUTING', `${comment('kubernetes service portals')} -j KUBE-SERVICES`);
  rules.add('nat', 'OUTPUT', `${comment('kubernetes service portals')} -j KUBE-SERVICES`);
  rules.add('nat', 'POSTROUTING', `${comment('kubernetes postrouting rules')} -j KUBE-POSTROUTING`);
  rules.add('nat', 'KUBE-MARK-MASQ', `-j MARK --set-xmark ${MASQUERADE_MARK}`);
  rules.add(
    'nat',
    'KUBE-POSTROUTING',
    `-m mark ! --mark ${MASQUERADE_MARK} -j RETURN`,
    '-j MARK --set-xmark 0x4000/0x0',
    `${comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
  );
}

function addService(rules: RuleSet, service: ServiceSpec, cluster: ClusterSpec): void {
  const name = portName(service);
  const { protocol, port, targetPort, nodePort } = service.port;
  const toClusterIp = `-d ${service.clusterIp}/32 -p ${protocol}`;
  const portMatch = `-m ${protocol} --dport ${port}`;
  const backends = endpointsOf(service, cluster).map(({ address }) => ({
    address,
    socket: `${address}:${targetPort}`,
  }));
  if (backends.length === 0) {
    const reject = '-j REJECT --reject-with icmp-port-unreachable';
    rules.add(
      'filter',
      'KUBE-SERVICES',
      `${toClusterIp} ${comment(`${name} has no endpoints`)} ${portMatch} ${reject}`,
    );
    if (nodePort !== undefined)
      rules.add(
        'filter',
        'KUBE-EXTERNAL-SERVICES',
        `-p ${protocol} ${comment(`${name} has no endpoints`)} -m addrtype --dst-type LOCAL -m ${protocol} --dport ${nodePort} ${reject}`,
      );
    return;
  }
  const chain = serviceChain('KUBE-SVC-', name, protocol);
  const clusterIpComment = comment(`${name} cluster IP`);
  rules.add('nat', 'KUBE-SERVICES', `${toClusterIp} ${clusterIpComment} ${portMatch} -j ${chain}`);
  if (nodePort !== undefined) addNodePort(rules, name, protocol, nodePort, chain);
  rules.add(
    'nat',
    chain,
    `! -s ${cluster.podNetwork} ${toClusterIp} ${clusterIpComment} ${portMatch} -j KUBE-MARK-MASQ`,
  );
  for (const [index, { address, socket }] of backends.entries()) {
    const endpoint = endpointChain(name, protocol, socket);
    const left = backends.length - index;
    // The last rule takes all that is left.
    const share = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
    rules.add('nat', chain, `${comment(`${name} -> ${socket}`)}${share} -j ${endpoint}`);
    rules.add(
      'nat',
      endpoint,
      `-s ${address}/32 ${comment(name)} -j KUBE-MARK-MASQ`,
      `-p ${protocol} ${comment(name)} -m ${protocol} -j DNAT --to-destination ${socket}`,
    );
  }
}

function addNodePort(rules: RuleSet, name: string, protocol: string, nodePort: number, chain: string): void {
  const external = serviceChain('KUBE-EXT-', name, protocol);
  rules.add(
    'nat',
    'KUBE-NODEPORTS',
    `-p ${protocol} ${comment(name)} -m ${protocol} --dport ${nodePort} -j ${external}`,
  );
  rules.add(
    'nat',
    external,
    `${comment(`masquerade traffic for ${name} external destinations`)} -j KUBE-MARK-MASQ`,
    `-j ${chain}`,
  );
}

function portName({ namespace, name, port }: ServiceSpec): string {
  return `${namespace}/${name}:${port.name}`;
}

/** Chain names are hashes, so that they fit into 28 characters: base32(sha256(name + protocol)), the first 16. */
export function serviceChain(prefix: string, name: string, protocol: string): string {
  return `${prefix}${chainHash(`${name}${protocol}`)}`;
}

export function endpointChain(name: string, protocol: string, socket: string): string {
  return `KUBE-SEP-${chainHash(`${name}${protocol}${socket}`)}`;
}

function chainHash(text: string): string {
  return base32(createHash('sha256').update(text).digest().subarray(0, 10));
}

/** RFC 4648 §6, for whole groups of five bytes. */
function base32(bytes: Buffer): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet.charAt(parseInt(five, 2))).join('');
}

function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}
