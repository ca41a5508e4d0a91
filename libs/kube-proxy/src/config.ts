import type { ClusterIndex } from '#libs/cluster';
import { parseCidr, type Cidr } from '#libs/model';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

/** What kube-proxy was told (kubeproxy.config.k8s.io/v1alpha1), as far as its rules show it. */
export interface ProxyConfig {
  /** Where it is from; `defaults` when nobody said. */
  readonly source: string;
  readonly mode?: ProxyMode;
  /** What the user says, in place of what the nodes look like. */
  readonly told?: ProxyMode;
  readonly clusterCidrs: readonly Cidr[];
  readonly detectLocalMode?: string;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  /** Undefined: the mode's default, which is every address of the node, or the primary ones in nftables mode. */
  readonly nodePortAddresses?: readonly string[];
}

/** Of kube-proxy on Linux (`mode` of KubeProxyConfiguration). */
export const PROXY_MODES = ['iptables', 'ipvs', 'nftables'] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

const Bit = z.looseObject({ masqueradeBit: z.number().nullish(), masqueradeAll: z.boolean().nullish() }).nullish();
const Config = z.looseObject({
  mode: z.string().nullish(),
  clusterCIDR: z.string().nullish(),
  detectLocalMode: z.string().nullish(),
  nodePortAddresses: z.array(z.string()).nullish(),
  iptables: Bit,
  nftables: Bit,
});

const DEFAULTS: ProxyConfig = { source: 'defaults', clusterCidrs: [], masqueradeAll: false, masqueradeBit: 14 };

/** The ConfigMap of kubeadm. One that cannot be read says nothing, and `source` tells so. */
export function readProxyConfig(cluster: ClusterIndex, override?: string): ProxyConfig {
  const mode = toMode(override);
  const text = cluster.configMap('kube-system', 'kube-proxy')?.['config.conf'];
  const read = text === undefined ? DEFAULTS : fromYaml(text);
  return mode === undefined ? read : { ...read, mode, told: mode };
}

function fromYaml(text: string): ProxyConfig {
  const parsed = Config.safeParse(yamlOf(text));
  if (!parsed.success) return { ...DEFAULTS, source: 'ConfigMap/kube-system/kube-proxy, which cannot be read' };
  const { mode, clusterCIDR, detectLocalMode, nodePortAddresses, iptables, nftables } = parsed.data;
  const section = mode === 'nftables' ? nftables : iptables;
  return {
    source: 'ConfigMap/kube-system/kube-proxy:config.conf',
    // Empty is the default of Linux (pkg/proxy/apis/config/v1alpha1 SetDefaults).
    mode: toMode(mode === '' || mode === null ? 'iptables' : mode),
    clusterCidrs: (clusterCIDR ?? '').split(',').flatMap((one) => parseCidr(one.trim()) ?? []),
    detectLocalMode: detectLocalMode ?? undefined,
    masqueradeAll: section?.masqueradeAll ?? false,
    masqueradeBit: section?.masqueradeBit ?? 14,
    nodePortAddresses: nodePortAddresses ?? undefined,
  };
}

function yamlOf(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 20 });
  } catch {
    // Not YAML is not a configuration: the caller says so.
    return undefined;
  }
}

function toMode(text: string | undefined): ProxyMode | undefined {
  return PROXY_MODES.find((mode) => mode === text);
}
