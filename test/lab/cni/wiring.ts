import type { KubernetesObject } from '#libs/model';
import type { RuleSet } from '../cluster/rule-set.js';
import type { ClusterSpec, NodeSpec, PodSpec } from '../cluster/spec.js';

/** What one CNI plugin adds to a node, beyond eth0 and the default route. */
export interface NodeWiring {
  /** Lines for `ip -batch`, before the pods' links are there. */
  readonly ip: readonly string[];
  /** Lines for `ip -batch`, when the links of all namespaces are there. */
  readonly ipLater: readonly string[];
  /** Lines for `bridge -batch`, after those. */
  readonly bridge?: readonly string[];
  readonly sysctlsLater?: Readonly<Record<string, string | number>>;
  readonly ipset?: string;
}

/** How one CNI plugin wires pods and nodes. A new plugin is one of these. */
export interface CniWiring {
  readonly name: string;
  readonly node: (node: NodeSpec, cluster: ClusterSpec) => NodeWiring;
  /** Lines for `ip -batch` in the pod; they make the veth, with its other end in the node. */
  readonly pod: (pod: PodSpec, cluster: ClusterSpec) => readonly string[];
  /** Adds the plugin's rules and, where they stand among them, those of kube-proxy and kubelet. */
  readonly addRules: (rules: RuleSet, node: NodeSpec, cluster: ClusterSpec, addProxyRules: () => void) => void;
  /** The same rules as tables of nftables, for a plugin that can write them. */
  readonly nftables?: (rules: RuleSet, node: NodeSpec, cluster: ClusterSpec) => readonly string[];
  readonly nodeAnnotations: (node: NodeSpec) => Readonly<Record<string, string>>;
  readonly daemon: Daemon;
  /** ConfigMaps and custom resources. */
  readonly objects: (cluster: ClusterSpec) => readonly KubernetesObject[];
}

export interface Daemon {
  readonly namespace: string;
  readonly name: string;
  readonly label: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly env?: (cluster: ClusterSpec) => Readonly<Record<string, string>>;
}
