import type { ClusterIndex } from '#libs/cluster';
import { daemonSetReasons, isReplaced } from '#libs/cni/checks';
import { formatCidr, formatIp, parseCidr, parseIp, type NamespaceDump } from '#libs/model';
import { z } from 'zod';

/** Who keeps the routes. */
export interface RoutedKind {
  readonly agent: 'kindnet' | 'kube-router' | 'cilium' | 'host-local';
  /** Nodes have no routes to each other's pods: the network outside has (cloud route tables). */
  readonly inUnderlay: boolean;
  readonly reasons: readonly string[];
}

const isKindnet = (name: string): boolean => name === 'kindnet' || name === 'kindnetd';
const isKubeRouter = (name: string): boolean => name === 'kube-router';
const isCilium = (name: string): boolean => name === 'cilium';
const isOwn = (name: string): boolean => isKindnet(name) || isKubeRouter(name) || isCilium(name);

/** By the agent that runs, else by what the nodes look like; undefined: it is none of these. */
export function routedKind(cluster: ClusterIndex): RoutedKind | undefined {
  const kindnet = daemonSetReasons(cluster, isKindnet);
  if (kindnet.length > 0) return { agent: 'kindnet', inUnderlay: false, reasons: kindnet };
  const kubeRouter = daemonSetReasons(cluster, isKubeRouter);
  if (kubeRouter.length > 0) return { agent: 'kube-router', inUnderlay: false, reasons: kubeRouter };
  const cilium = daemonSetReasons(cluster, isCilium);
  if (cilium.length > 0) return ciliumKind(cluster, cilium);
  if (isReplaced(cluster, isOwn)) return undefined;
  const routes = routesBetweenNodes(cluster);
  if (routes !== undefined) return { agent: 'host-local', inUnderlay: false, reasons: [routes] };
  const created = routesCreated(cluster);
  return created === undefined ? undefined : { agent: 'host-local', inUnderlay: true, reasons: [created] };
}

/** Only native routing: in tunnel mode the datapath is in eBPF, and no route tells of it. */
function ciliumKind(cluster: ClusterIndex, daemons: readonly string[]): RoutedKind | undefined {
  const config = cluster.configMap('kube-system', 'cilium-config');
  const native = config?.['routing-mode'] === 'native' || config?.tunnel === 'disabled';
  if (!native) return undefined;
  const reasons = [...daemons, 'ConfigMap kube-system/cilium-config: native routing'];
  return { agent: 'cilium', inUnderlay: config['auto-direct-node-routes'] !== 'true', reasons };
}

const RouteRows = z.array(z.looseObject({ dst: z.string(), gateway: z.string().optional() }));

/** A node that sends the pods of another node to that node. One is enough: others may be what is broken. */
function routesBetweenNodes(cluster: ClusterIndex): string | undefined {
  const ownerOfPrefix = new Map<string, string>();
  for (const node of cluster.nodes.values())
    for (const cidr of node.podCidrs) ownerOfPrefix.set(formatCidr(cidr), node.name);
  for (const dump of cluster.dumps.values()) {
    if (dump.kind !== 'node') continue;
    for (const { dst, gateway } of routeRows(dump)) {
      const cidr = parseCidr(dst);
      const owner = cidr === undefined ? undefined : ownerOfPrefix.get(formatCidr(cidr));
      const via = gateway === undefined ? undefined : parseIp(gateway);
      if (owner === undefined || owner === dump.name || via === undefined) continue;
      if (cluster.nodeAt(via)?.name === owner) return `${dump.name} routes ${dst} via ${formatIp(via)} (${owner})`;
    }
  }
  return undefined;
}

/** What cannot be read proves nothing; whoever walks over the file says so. */
function routeRows(dump: NamespaceDump): z.output<typeof RouteRows> {
  const text = dump.files.get('ip-route.json');
  if (text === undefined || text.trim() === '') return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = RouteRows.safeParse(json);
  return parsed.success ? parsed.data : [];
}

const Conditions = z.looseObject({
  status: z.looseObject({
    conditions: z.array(z.looseObject({ type: z.string(), reason: z.string().optional() })),
  }),
});

/** The route controller of a cloud says so on each node that it has made a route for. */
function routesCreated(cluster: ClusterIndex): string | undefined {
  for (const object of cluster.all('Node')) {
    const parsed = Conditions.safeParse(object);
    const conditions = parsed.success ? parsed.data.status.conditions : [];
    if (conditions.some(({ type, reason }) => type === 'NetworkUnavailable' && reason === 'RouteCreated'))
      return `condition NetworkUnavailable of node ${object.metadata.name}: RouteCreated`;
  }
  return undefined;
}
