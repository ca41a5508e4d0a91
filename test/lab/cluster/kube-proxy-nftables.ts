import { chainHash } from './kube-proxy-iptables.js';
import { endpointsOf, type ClusterSpec, type NodeSpec, type ServiceSpec } from './spec.js';

const TABLE = 'ip kube-proxy';
const MARK = '0x4000';

/** The table that kube-proxy keeps on a node in nftables mode, for `nft -f`. */
export function kubeProxyNftables(cluster: ClusterSpec, node: NodeSpec): string {
  const table = new NftTable(cluster, node);
  for (const service of cluster.services) if (service.clusterIp !== 'None') table.addService(service);
  return table.print();
}

interface Backend {
  readonly address: string;
  readonly local: boolean;
  readonly chain: string;
}

class NftTable {
  private readonly chains = new Map<string, string[]>();
  private readonly sets: string[] = [];
  private readonly elements = new Map<string, string[]>();

  constructor(
    private readonly cluster: ClusterSpec,
    private readonly node: NodeSpec,
  ) {}

  addService(service: ServiceSpec): void {
    const { protocol, port, targetPort } = service.port;
    const backends = endpointsOf(service, this.cluster).map(({ address, node: where }) => ({
      address,
      local: where === this.node.name,
      chain: chainName('endpoint-', service, `__${address}/${targetPort}`),
    }));
    const { clusterIp } = service;
    this.put('cluster-ips', clusterIp);
    const refusal = `comment "${service.namespace}/${service.name}:${service.port.name}"`;
    if (backends.length === 0) {
      for (const ip of [clusterIp, ...this.outsideAddresses(service)])
        this.put('no-endpoint-services', `${ip} . ${protocol} . ${port} ${refusal} : goto reject-chain`);
      if (service.port.nodePort !== undefined)
        this.put('no-endpoint-nodeports', `${protocol} . ${service.port.nodePort} ${refusal} : goto reject-chain`);
      return;
    }
    const local = backends.filter((backend) => backend.local);
    const isInternalLocal = service.internalTrafficPolicy === 'Local';
    const internal = chainName(isInternalLocal ? 'local-' : 'service-', service);
    if (isInternalLocal && local.length === 0)
      this.put('no-endpoint-services', `${clusterIp} . ${protocol} . ${port} ${refusal} : drop`);
    else this.put('service-ips', `${clusterIp} . ${protocol} . ${port} : goto ${internal}`);
    const isExternal = service.port.nodePort !== undefined || this.outsideAddresses(service).length > 0;
    const usesAll = !isInternalLocal || (isExternal && service.externalTrafficPolicy !== 'Local');
    const usesLocal = local.length > 0 && (isInternalLocal || service.externalTrafficPolicy === 'Local');
    for (const backend of backends) if (usesAll || backend.local) this.addEndpoint(service, backend);
    for (const [prefix, among, used] of [
      ['service-', backends, usesAll],
      ['local-', local, usesLocal],
    ] as const) {
      if (!used) continue;
      const chain = chainName(prefix, service);
      if (chain === internal)
        this.rule(chain, `ip daddr ${clusterIp} ip saddr != ${this.cluster.podNetwork} jump mark-for-masquerade`);
      this.balance(chain, service, among);
    }
    if (isExternal) this.addExternal(service, local, refusal);
  }

  private outsideAddresses({ externalIps = [], loadBalancer }: ServiceSpec): readonly string[] {
    return [...externalIps, ...(loadBalancer === undefined ? [] : [loadBalancer.ip])];
  }

  private balance(chain: string, { affinitySeconds }: ServiceSpec, backends: readonly Backend[]): void {
    if (affinitySeconds !== undefined)
      for (const backend of backends) this.rule(chain, `ip saddr @${affinitySet(backend)} goto ${backend.chain}`);
    const branches = backends.map((backend, index) => `${index} : goto ${backend.chain}`).join(', ');
    this.rule(chain, `numgen random mod ${backends.length} vmap { ${branches} }`);
  }

  private addEndpoint({ port, affinitySeconds }: ServiceSpec, backend: Backend): void {
    const { chain, address } = backend;
    this.rule(chain, `ip saddr ${address} jump mark-for-masquerade`);
    if (affinitySeconds !== undefined) {
      const set = affinitySet(backend);
      this.sets.push(`set ${set} { type ipv4_addr; flags timeout; timeout ${affinitySeconds}s; }`);
      this.rule(chain, `update @${set} { ip saddr }`);
    }
    this.rule(chain, `meta l4proto ${port.protocol} dnat to ${address}:${port.targetPort}`);
  }

  private addExternal(service: ServiceSpec, local: readonly Backend[], refusal: string): void {
    const { protocol, port, nodePort } = service.port;
    const external = chainName('external-', service);
    const all = chainName('service-', service);
    for (const ip of this.outsideAddresses(service))
      this.put('service-ips', `${ip} . ${protocol} . ${port} : goto ${external}`);
    if (nodePort !== undefined) this.put('service-nodeports', `${protocol} . ${nodePort} : goto ${external}`);
    const ranges = service.loadBalancer?.sourceRanges;
    if (service.loadBalancer !== undefined && ranges !== undefined) {
      const firewall = chainName('firewall-', service);
      this.put('firewall-ips', `${service.loadBalancer.ip} . ${protocol} . ${port} : goto ${firewall}`);
      this.rule(firewall, `ip saddr != { ${ranges.join(', ')} } drop`);
    }
    if (service.externalTrafficPolicy !== 'Local') {
      this.rule(external, 'jump mark-for-masquerade');
      return this.rule(external, `goto ${all}`);
    }
    this.rule(external, `ip saddr ${this.cluster.podNetwork} goto ${all} comment "short-circuit pod traffic"`);
    this.rule(external, 'fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"');
    this.rule(external, `fib saddr type local goto ${all} comment "short-circuit local traffic"`);
    if (local.length > 0) return this.rule(external, `goto ${chainName('local-', service)}`);
    for (const ip of this.outsideAddresses(service))
      this.put('no-endpoint-services', `${ip} . ${protocol} . ${port} ${refusal} : drop`);
    if (nodePort !== undefined) this.put('no-endpoint-nodeports', `${protocol} . ${nodePort} ${refusal} : drop`);
  }

  private put(set: string, element: string): void {
    this.elements.set(set, [...(this.elements.get(set) ?? []), element]);
  }

  private rule(chain: string, text: string): void {
    const rules = this.chains.get(chain) ?? [];
    rules.push(text);
    this.chains.set(chain, rules);
  }

  print(): string {
    const byService = 'type ipv4_addr . inet_proto . inet_service : verdict;';
    const byNodePort = 'type inet_proto . inet_service : verdict;';
    const lines = [
      `add table ${TABLE}`,
      ...BASE_CHAINS.map(
        ([name, type, hook, priority]) =>
          `add chain ${TABLE} ${name} { type ${type} hook ${hook} priority ${priority}; policy accept; }`,
      ),
      ...[...FIXED_CHAINS.keys(), ...this.chains.keys()].map((name) => `add chain ${TABLE} ${name}`),
      `add set ${TABLE} cluster-ips { type ipv4_addr; }`,
      `add set ${TABLE} nodeport-ips { type ipv4_addr; }`,
      `add map ${TABLE} firewall-ips { ${byService} }`,
      `add map ${TABLE} no-endpoint-services { ${byService} }`,
      `add map ${TABLE} service-ips { ${byService} }`,
      `add map ${TABLE} no-endpoint-nodeports { ${byNodePort} }`,
      `add map ${TABLE} service-nodeports { ${byNodePort} }`,
      ...this.sets.map((set) => set.replace(/^set /, `add set ${TABLE} `)),
      `add element ${TABLE} nodeport-ips { ${this.node.address} }`,
      ...[...this.elements].map(([set, elements]) => `add element ${TABLE} ${set} { ${elements.join(', ')} }`),
    ];
    const serviceNetwork = `ip daddr ${this.cluster.serviceNetwork} drop comment "Drop traffic to unallocated ClusterIPs"`;
    for (const [chain, rules] of [...FIXED_CHAINS, ...BASE_RULES, ...this.chains])
      for (const rule of rules) lines.push(`add rule ${TABLE} ${chain} ${rule}`);
    lines.push(`add rule ${TABLE} cluster-ips-check ${serviceNetwork}`);
    return `${lines.join('\n')}\n`;
  }
}

const BASE_CHAINS = [
  ['filter-prerouting-pre-dnat', 'filter', 'prerouting', -110],
  ['filter-output-pre-dnat', 'filter', 'output', -110],
  ['filter-forward', 'filter', 'forward', 0],
  ['filter-input', 'filter', 'input', 0],
  ['filter-output', 'filter', 'output', 0],
  ['nat-output', 'nat', 'output', -100],
  ['nat-postrouting', 'nat', 'postrouting', 100],
  ['nat-prerouting', 'nat', 'prerouting', -100],
] as const;

const BASE_RULES = new Map<string, readonly string[]>([
  ['filter-prerouting-pre-dnat', ['ct state new jump firewall-check']],
  ['filter-output-pre-dnat', ['ct state new jump firewall-check']],
  ['filter-forward', ['ct state new jump service-endpoints-check', 'ct state new jump cluster-ips-check']],
  ['filter-input', ['ct state new jump nodeport-endpoints-check', 'ct state new jump service-endpoints-check']],
  ['filter-output', ['ct state new jump service-endpoints-check', 'ct state new jump cluster-ips-check']],
  ['nat-output', ['jump services']],
  ['nat-postrouting', ['jump masquerading']],
  ['nat-prerouting', ['jump services']],
]);

const SERVICE_KEY = 'ip daddr . meta l4proto . th dport';
const FIXED_CHAINS = new Map<string, readonly string[]>([
  [
    'cluster-ips-check',
    ['ip daddr @cluster-ips reject with icmp port-unreachable comment "Reject traffic to invalid ports of ClusterIPs"'],
  ],
  ['firewall-check', [`${SERVICE_KEY} vmap @firewall-ips`]],
  ['mark-for-masquerade', [`mark set mark or ${MARK}`]],
  ['masquerading', [`mark and ${MARK} == 0 return`, `mark set mark xor ${MARK}`, 'masquerade fully-random']],
  ['nodeport-endpoints-check', ['ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports']],
  [
    'services',
    [`${SERVICE_KEY} vmap @service-ips`, 'ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports'],
  ],
  ['service-endpoints-check', [`${SERVICE_KEY} vmap @no-endpoint-services`]],
  ['reject-chain', ['reject with icmp port-unreachable']],
]);

/** `service-ULMVA6XW-default/web/tcp/http`: a hash first, then words for people. */
function chainName(prefix: string, { namespace, name, port }: ServiceSpec, suffix = ''): string {
  const words = `${namespace}/${name}/${port.protocol}/${port.name}${suffix}`;
  return `${prefix}${chainHash(words).slice(0, 8)}-${words}`;
}

function affinitySet({ chain }: Backend): string {
  return chain.replace(/^endpoint-/, 'affinity-');
}
