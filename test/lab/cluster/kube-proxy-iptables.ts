import { createHash } from 'node:crypto';
import { addKubeletChains, addKubeletJumps } from './kubelet-iptables.js';
import { comment, type RuleSet } from './rule-set.js';
import { endpointsOf, type ClusterSpec, type NodeSpec, type ServiceSpec } from './spec.js';

const MASQUERADE_MARK = '0x4000/0x4000';

/** Adds the rules that kube-proxy (iptables mode, clusterCIDR set) and kubelet keep on a node. */
export function addKubeProxyRules(rules: RuleSet, cluster: ClusterSpec, node: NodeSpec): void {
  addFrame(rules);
  const services = cluster.services
    .filter(({ clusterIp }) => clusterIp !== 'None')
    .toSorted((a, b) => (portName(a) < portName(b) ? -1 : 1));
  for (const service of services) new ServiceRules(rules, service, cluster, node).add();
  rules.add(
    'nat',
    'KUBE-SERVICES',
    `${comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  );
}

/** The chains and jumps that do not depend on services. */
function addFrame(rules: RuleSet): void {
  addKubeletChains(rules);
  rules.chain('mangle', 'KUBE-PROXY-CANARY');
  for (const table of ['filter', 'nat'])
    for (const chain of ['KUBE-PROXY-CANARY', 'KUBE-SERVICES', 'KUBE-NODEPORTS']) rules.chain(table, chain);
  for (const chain of ['KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL']) rules.chain('filter', chain);
  const isNew = '-m conntrack --ctstate NEW';
  const firewall = `${isNew} ${comment('kubernetes load balancer firewall')} -j KUBE-PROXY-FIREWALL`;
  const external = `${isNew} ${comment('kubernetes externally-visible service portals')} -j KUBE-EXTERNAL-SERVICES`;
  const services = `${isNew} ${comment('kubernetes service portals')} -j KUBE-SERVICES`;
  const healthChecks = `${comment('kubernetes health check service ports')} -j KUBE-NODEPORTS`;
  const forward = `${comment('kubernetes forwarding rules')} -j KUBE-FORWARD`;
  rules.add('filter', 'INPUT', firewall, healthChecks, external);
  rules.add('filter', 'FORWARD', firewall, forward, services, external);
  rules.add('filter', 'OUTPUT', firewall, services);
  addKubeletJumps(rules);
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

interface Backend {
  readonly local: boolean;
  readonly address: string;
  readonly socket: string;
}

/** The rules of one service port on one node. */
class ServiceRules {
  private readonly name: string;
  private readonly backends: readonly Backend[];

  constructor(
    private readonly rules: RuleSet,
    private readonly service: ServiceSpec,
    private readonly cluster: ClusterSpec,
    node: NodeSpec,
  ) {
    this.name = portName(service);
    this.backends = endpointsOf(service, cluster).map(({ address, node: where }) => ({
      address,
      local: where === node.name,
      socket: `${address}:${service.port.targetPort}`,
    }));
  }

  add(): void {
    if (this.backends.length === 0)
      return this.refuse('has no endpoints', '-j REJECT --reject-with icmp-port-unreachable');
    const { internalTrafficPolicy, externalTrafficPolicy, clusterIp } = this.service;
    const hasLocal = this.backends.some(({ local }) => local);
    const internal = internalTrafficPolicy === 'Local' ? this.chain('KUBE-SVL-') : this.chain('KUBE-SVC-');
    if (internalTrafficPolicy === 'Local' && !hasLocal) this.refuseInternal('has no local endpoints', '-j DROP');
    else this.rules.add('nat', 'KUBE-SERVICES', `${this.to(clusterIp, 'cluster IP')} -j ${internal}`);
    if (externalTrafficPolicy === 'Local' && !hasLocal) this.refuseExternal('has no local endpoints', '-j DROP');
    if (this.isExternal()) this.addExternal(hasLocal);
    this.addChains(internal, hasLocal);
  }

  private isExternal(): boolean {
    const { port, externalIps, loadBalancer } = this.service;
    return port.nodePort !== undefined || externalIps !== undefined || loadBalancer !== undefined;
  }

  private addChains(internal: string, hasLocal: boolean): void {
    const { internalTrafficPolicy, externalTrafficPolicy, clusterIp } = this.service;
    const toClusterIp = this.to(clusterIp, 'cluster IP');
    const masquerade = `! -s ${this.cluster.podNetwork} ${toClusterIp} -j KUBE-MARK-MASQ`;
    const usesLocal = hasLocal && (internalTrafficPolicy === 'Local' || externalTrafficPolicy === 'Local');
    const usesAll = internalTrafficPolicy !== 'Local' || (this.isExternal() && externalTrafficPolicy !== 'Local');
    for (const [chain, backends, used] of [
      [this.chain('KUBE-SVC-'), this.backends, usesAll],
      [this.chain('KUBE-SVL-'), this.backends.filter(({ local }) => local), usesLocal],
    ] as const) {
      if (!used) continue;
      if (chain === internal) this.rules.add('nat', chain, masquerade);
      this.addShares(chain, backends);
    }
    for (const backend of this.backends) if (usesAll || backend.local) this.addEndpoint(backend);
  }

  private addShares(chain: string, backends: readonly Backend[]): void {
    const { protocol } = this.service.port;
    const { affinitySeconds } = this.service;
    if (affinitySeconds !== undefined)
      for (const { socket } of backends) {
        const endpoint = endpointChain(this.name, protocol, socket);
        const known = `-m recent --rcheck --seconds ${affinitySeconds} --reap --name ${endpoint} --mask 255.255.255.255 --rsource`;
        this.rules.add('nat', chain, `${comment(`${this.name} -> ${socket}`)} ${known} -j ${endpoint}`);
      }
    for (const [index, { socket }] of backends.entries()) {
      const left = backends.length - index;
      // The last rule takes all that is left.
      const share = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
      this.rules.add(
        'nat',
        chain,
        `${comment(`${this.name} -> ${socket}`)}${share} -j ${endpointChain(this.name, protocol, socket)}`,
      );
    }
  }

  private addEndpoint({ address, socket }: Backend): void {
    const { protocol } = this.service.port;
    const endpoint = endpointChain(this.name, protocol, socket);
    const remember =
      this.service.affinitySeconds === undefined
        ? ''
        : `-m recent --set --name ${endpoint} --mask 255.255.255.255 --rsource `;
    this.rules.add(
      'nat',
      endpoint,
      `-s ${address}/32 ${comment(this.name)} -j KUBE-MARK-MASQ`,
      `-p ${protocol} ${comment(this.name)} ${remember}-m ${protocol} -j DNAT --to-destination ${socket}`,
    );
  }

  private addExternal(hasLocal: boolean): void {
    const { name, service } = this;
    const { port, externalIps = [], loadBalancer, externalTrafficPolicy } = service;
    const external = this.chain('KUBE-EXT-');
    const all = this.chain('KUBE-SVC-');
    for (const ip of externalIps)
      this.rules.add('nat', 'KUBE-SERVICES', `${this.to(ip, 'external IP')} -j ${external}`);
    if (loadBalancer !== undefined) this.addLoadBalancer(loadBalancer.ip, loadBalancer.sourceRanges, external);
    if (port.nodePort !== undefined)
      this.rules.add('nat', 'KUBE-NODEPORTS', `${this.toNodePort(port.nodePort)} -j ${external}`);
    if (service.healthCheckNodePort !== undefined)
      this.rules.add(
        'filter',
        'KUBE-NODEPORTS',
        `-p tcp ${comment(`${name} health check node port`)} -m tcp --dport ${service.healthCheckNodePort} -j ACCEPT`,
      );
    if (externalTrafficPolicy !== 'Local') {
      const why = comment(`masquerade traffic for ${name} external destinations`);
      return this.rules.add('nat', external, `${why} -j KUBE-MARK-MASQ`, `-j ${all}`);
    }
    const what = `for ${name} external destinations`;
    this.rules.add(
      'nat',
      external,
      `-s ${this.cluster.podNetwork} ${comment(`pod traffic ${what}`)} -j ${all}`,
      `${comment(`masquerade LOCAL traffic ${what}`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      `${comment(`route LOCAL traffic ${what}`)} -m addrtype --src-type LOCAL -j ${all}`,
      ...(hasLocal ? [`-j ${this.chain('KUBE-SVL-')}`] : []),
    );
  }

  private addLoadBalancer(ip: string, sourceRanges: readonly string[] | undefined, external: string): void {
    const arrives = this.to(ip, 'loadbalancer IP');
    if (sourceRanges === undefined) return this.rules.add('nat', 'KUBE-SERVICES', `${arrives} -j ${external}`);
    const firewall = this.chain('KUBE-FW-');
    this.rules.add('nat', 'KUBE-SERVICES', `${arrives} -j ${firewall}`);
    for (const range of sourceRanges)
      this.rules.add('nat', firewall, `-s ${range} ${comment(`${this.name} loadbalancer IP`)} -j ${external}`);
    this.rules.add('nat', firewall, comment(`other traffic to ${this.name} will be dropped by KUBE-PROXY-FIREWALL`));
    this.rules.add('filter', 'KUBE-PROXY-FIREWALL', `${this.to(ip, `traffic not accepted by ${firewall}`)} -j DROP`);
  }

  private refuse(why: string, verdict: string): void {
    this.refuseInternal(why, verdict);
    this.refuseExternal(why, verdict);
  }

  private refuseInternal(why: string, verdict: string): void {
    this.rules.add('filter', 'KUBE-SERVICES', `${this.to(this.service.clusterIp, why)} ${verdict}`);
  }

  private refuseExternal(why: string, verdict: string): void {
    const { port, externalIps = [], loadBalancer } = this.service;
    for (const ip of [...externalIps, ...(loadBalancer === undefined ? [] : [loadBalancer.ip])])
      this.rules.add('filter', 'KUBE-EXTERNAL-SERVICES', `${this.to(ip, why)} ${verdict}`);
    if (port.nodePort !== undefined)
      this.rules.add(
        'filter',
        'KUBE-EXTERNAL-SERVICES',
        `-p ${port.protocol} ${comment(`${this.name} ${why}`)} -m addrtype --dst-type LOCAL -m ${port.protocol} --dport ${port.nodePort} ${verdict}`,
      );
  }

  private to(ip: string, what: string): string {
    const { protocol, port } = this.service.port;
    return `-d ${ip}/32 -p ${protocol} ${comment(`${this.name} ${what}`)} -m ${protocol} --dport ${port}`;
  }

  private toNodePort(nodePort: number): string {
    const { protocol } = this.service.port;
    return `-p ${protocol} ${comment(this.name)} -m ${protocol} --dport ${nodePort}`;
  }

  private chain(prefix: string): string {
    return serviceChain(prefix, this.name, this.service.port.protocol);
  }
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

export function chainHash(text: string): string {
  return base32(createHash('sha256').update(text).digest().subarray(0, 10));
}

/** RFC 4648 §6, for whole groups of five bytes. */
function base32(bytes: Buffer): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet.charAt(parseInt(five, 2))).join('');
}
