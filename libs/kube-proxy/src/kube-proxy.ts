import type { ClusterIndex, NodeObject } from '#libs/cluster';
import type { Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { readProxyConfig, type ProxyConfig } from './config.js';
import { ServiceIntent, type Asker, type Expected } from './intent/expected.js';
import { findEntry, type ServiceEntry } from './intent/service-entry.js';
import { serviceFindings } from './intent/service-findings.js';
import { NodeProxy } from './truth/node-proxy.js';

/** Everything about services of one snapshot: what they mean, and whether the nodes do it. Made once per snapshot. */
export class KubeProxy {
  readonly config: ProxyConfig;
  private readonly nodes = new Map<NetNamespace, NodeProxy>();
  private readonly intents = new Map<string, ServiceIntent>();

  /** `mode`: what the user says (`--proxy-mode`), before what the ConfigMap says. */
  constructor(
    private readonly cluster: ClusterIndex,
    overrides: { readonly mode?: string } = {},
  ) {
    this.config = readProxyConfig(cluster, overrides.mode);
  }

  /** The service port that a destination means; undefined when it is none. */
  find(dst: Ip, port: number, protocol: 'TCP' | 'UDP' | 'SCTP'): ServiceEntry | undefined {
    return findEntry(this.cluster, dst, port, protocol);
  }

  /** What kube-proxy on a node should choose from when somebody asks for an entry there. */
  expected(node: string, entry: ServiceEntry, asker: Asker): Expected {
    return this.intentOf(node, entry).expected(entry, asker);
  }

  /** What the objects say of the service: why nothing can be chosen, and what is worth knowing. */
  findings(node: string, entry: ServiceEntry, asker: Asker): Finding[] {
    return serviceFindings(this.cluster, this.intentOf(node, entry), entry, { ...asker, node });
  }

  /** The sorted endpoints of a service port as a node sees them; kept, so ask as often as you like. */
  intentOf(node: string, { service, port }: ServiceEntry): ServiceIntent {
    const at = service.ports.indexOf(port);
    const key = `${node} ${service.namespace}/${service.name} ${at}`;
    let intent = this.intents.get(key);
    if (intent === undefined) {
      const object: Pick<NodeObject, 'name' | 'zone'> = this.cluster.nodes.get(node) ?? { name: node };
      intent = new ServiceIntent(this.cluster, object);
      this.intents.set(key, intent);
    }
    return intent;
  }

  /** The kube-proxy of a node, its rules indexed once. */
  on(node: NetNamespace): NodeProxy {
    let proxy = this.nodes.get(node);
    if (proxy === undefined) {
      proxy = new NodeProxy(this.cluster, node, this.config);
      this.nodes.set(node, proxy);
    }
    return proxy;
  }
}
