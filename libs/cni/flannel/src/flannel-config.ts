import type { ClusterIndex, NodeObject } from '#libs/cluster';
import { agentSettings, flagValue, type AgentSettings } from '#libs/cni/checks';
import { parseCidr, parseIp, type Cidr, type Ip } from '#libs/model';
import { z } from 'zod';

type Backend = 'host-gw' | 'vxlan' | 'alloc' | 'wireguard' | 'ipip' | 'other';

/** What matters of flannel's configuration (flannel docs/backends.md, configuration.md). */
export interface FlannelConfig {
  readonly backend: Backend;
  readonly vni: number;
  readonly port: number;
  readonly directRouting: boolean;
  /** The networks that nodes get theirs from. */
  readonly networks: readonly Cidr[];
  readonly ipv6: boolean;
  /** Whether flanneld masquerades, and what tells it; undefined: nothing does. */
  readonly ipMasq: { readonly isOn: boolean; readonly locator: string; readonly text: string } | undefined;
  /** The interface between the nodes, where it is given by name. */
  readonly iface: string | undefined;
  /** undefined: pods stand alone, each with a route of its own (Canal: Calico's CNI plugin on flannel's network). */
  readonly bridge: string | undefined;
  readonly hairpin: boolean;
  /** The bridge plugin keeps pods of a node from each other. */
  readonly portIsolation: boolean;
}

const NetConf = z.looseObject({
  Network: z.string().optional(),
  IPv6Network: z.string().optional(),
  EnableIPv6: z.boolean().optional(),
  Backend: z
    .looseObject({
      Type: z.string().optional(),
      VNI: z.number().optional(),
      Port: z.number().optional(),
      DirectRouting: z.boolean().optional(),
    })
    .optional(),
});

const CniConf = z.looseObject({
  type: z.string().optional(),
  plugins: z.array(z.looseObject({ type: z.string().optional(), delegate: z.unknown().optional() })).optional(),
  delegate: z.unknown().optional(),
});

const Delegate = z.looseObject({
  bridge: z.string().optional(),
  hairpinMode: z.boolean().optional(),
  portIsolation: z.boolean().optional(),
});

/** The port of the Linux kernel, not the IANA's 4789: flannel leaves it to the kernel. */
const KERNEL_VXLAN_PORT = 8472;

export const isFlannelDaemon = (name: string): boolean => name.includes('flannel') || name.includes('canal');

const CONFIG_MAPS = [
  ['kube-flannel', 'kube-flannel-cfg'],
  ['kube-system', 'kube-flannel-cfg'],
  ['kube-system', 'canal-config'],
] as const;

/** From net-conf.json and cni-conf.json of the ConfigMap, the arguments of the DaemonSet, else the annotations of the nodes. */
export function flannelConfig(cluster: ClusterIndex): FlannelConfig {
  const data = CONFIG_MAPS.map(([namespace, name]) => cluster.configMap(namespace, name)).find(
    (found) => found !== undefined,
  );
  const conf = parseJson(NetConf, data?.['net-conf.json']);
  const agent = agentSettings(cluster, isFlannelDaemon);
  const iface = agent === undefined ? undefined : (flagValue(agent, 'iface') ?? agent.env.get('FLANNELD_IFACE'));
  return {
    backend: backendType(conf?.Backend?.Type ?? annotatedType(cluster)),
    vni: conf?.Backend?.VNI ?? 1,
    port: portOf(conf?.Backend?.Port),
    directRouting: conf?.Backend?.DirectRouting ?? false,
    networks: [conf?.Network, conf?.IPv6Network].flatMap((text) => parseCidr(text ?? '') ?? []),
    ipv6: conf?.EnableIPv6 ?? false,
    ipMasq: masqueradeOf(cluster, agent),
    // An address or a regular expression names it as well; then the annotation of the node says which it is.
    iface: iface === undefined || iface === '' || parseIp(iface) !== undefined ? undefined : iface,
    ...podWiring(data?.['cni-conf.json'] ?? data?.cni_network_config),
  };
}

/** The flag is off by default; where nobody shows how flanneld is started, the chain that it masquerades in tells. */
function masqueradeOf(cluster: ClusterIndex, agent: AgentSettings | undefined): FlannelConfig['ipMasq'] {
  const flag = agent === undefined ? undefined : (flagValue(agent, 'ip-masq') ?? agent.env.get('FLANNELD_IP_MASQ'));
  if (flag !== undefined || (agent !== undefined && agent.words.length > 0))
    return { isOn: (flag ?? 'false') !== 'false', locator: 'DaemonSet:args', text: 'flanneld --ip-masq' };
  const dump = cluster.snapshot.dumps.find(
    ({ kind, files }) =>
      kind === 'node' && [...files].some(([name, text]) => CHAIN_FILES.test(name) && MASQUERADES.test(text)),
  );
  if (dump === undefined) return undefined;
  return {
    isOn: true,
    locator: `node/${dump.name}`,
    text: `node ${dump.name} has flanneld's chain of masquerade rules`,
  };
}

const CHAIN_FILES = /^iptables-(?:nft|legacy)-save\.txt$|^nft\.json$/;
/** pkg/trafficmngr of flannel: chain FLANNEL-POSTRTG of iptables, table flannel-ipv4 of nftables. */
const MASQUERADES = /^:FLANNEL-POSTRTG |"flannel-ipv4"/m;

function portOf(port: number | undefined): number {
  return port === undefined || port === 0 ? KERNEL_VXLAN_PORT : port;
}

/** The delegate of flannel's CNI plugin is `bridge` with its default name, unless the configuration says otherwise. */
function podWiring(text: string | undefined): Pick<FlannelConfig, 'bridge' | 'hairpin' | 'portIsolation'> {
  const conf = parseJson(CniConf, text);
  const plugins = conf?.plugins ?? (conf === undefined ? [] : [conf]);
  if (plugins.some(({ type }) => type === 'calico')) return { bridge: undefined, hairpin: false, portIsolation: false };
  const found = plugins.find(({ type }) => type === 'flannel');
  const parsed = Delegate.safeParse(found?.delegate ?? {});
  const delegate = parsed.success ? parsed.data : {};
  return {
    bridge: delegate.bridge ?? 'cni0',
    hairpin: delegate.hairpinMode ?? false,
    portIsolation: delegate.portIsolation ?? false,
  };
}

/** What flannel itself could not read says nothing here either; the annotations say what it did before. */
function parseJson<T extends z.ZodType>(shape: T, text: string | undefined): z.output<T> | undefined {
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = shape.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

function annotatedType(cluster: ClusterIndex): string {
  for (const node of cluster.nodes.values()) {
    const type = node.annotations[annotation('backend-type')];
    if (type !== undefined) return type;
  }
  return 'host-gw';
}

function backendType(text: string): Backend {
  const type = text.toLowerCase();
  if (type === 'vxlan' || type === 'host-gw' || type === 'wireguard' || type === 'ipip') return type;
  // Back ends that write the routes into the cloud's route table.
  if (['alloc', 'ali-vpc', 'aliyun', 'aws-vpc', 'gce', 'tencent-vpc'].includes(type)) return 'alloc';
  return 'other';
}

/** What flannel knows of one node, as it has written it into the node's annotations. */
export interface FlannelNode {
  readonly name: string;
  readonly backend: Backend;
  /** flannel has set the node up: the others have its network. */
  readonly annotated: boolean;
  readonly cidr4: Cidr | undefined;
  readonly cidr6: Cidr | undefined;
  readonly publicIp4: Ip | undefined;
  readonly publicIp6: Ip | undefined;
  /** The public address is that of a NAT in front of the node. */
  readonly behindNat: boolean;
  readonly vtepMac: string | undefined;
  readonly backendData: string | undefined;
  readonly object: NodeObject;
}

export function flannelNode(object: NodeObject, config: FlannelConfig): FlannelNode {
  const { annotations, podCidrs, internalIps } = object;
  const read = (name: string): string | undefined => annotations[annotation(name)];
  const type = read('backend-type');
  const publicIp = read('public-ip');
  return {
    name: object.name,
    backend: type === undefined ? config.backend : backendType(type),
    annotated: publicIp !== undefined || type !== undefined,
    cidr4: podCidrs.find(({ net }) => typeof net === 'number'),
    cidr6: podCidrs.find(({ net }) => typeof net === 'bigint'),
    publicIp4: parseIp(publicIp ?? '') ?? internalIps.find((ip) => typeof ip === 'number'),
    publicIp6: parseIp(read('public-ipv6') ?? ''),
    behindNat: read('public-ip-overwrite') !== undefined,
    vtepMac: parseJson(BackendData, read('backend-data'))?.VtepMAC ?? undefined,
    backendData: read('backend-data'),
    object,
  };
}

const BackendData = z.looseObject({ VtepMAC: z.string().nullish() }).nullable();

export function annotation(name: string): string {
  return `flannel.alpha.coreos.com/${name}`;
}
