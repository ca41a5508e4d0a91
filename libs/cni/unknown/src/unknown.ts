import type { ClusterIndex } from '#libs/cluster';
import type { Ip } from '#libs/model';
import type { CniNetwork, CniPlugin, IntendedNextHop } from '#libs/provider-kit';

/** Detects itself always, so it goes last in a list of plugins. */
export const unknownCni: CniPlugin = {
  name: 'unknown',
  detect: () => ({ detected: true, reasons: ['no known CNI plugin was found'] }),
  forCluster: (cluster): CniNetwork => ({
    plugin: 'unknown',
    podRoutesInUnderlay: false,
    routeFinding: () => undefined,
    intendedNextHop: (node, dst) => nextHop(cluster, node, dst),
    intendedRoute: () => undefined,
    inspectNode: () => [],
    inspectPod: () => [],
  }),
};

function nextHop(cluster: ClusterIndex, node: string, dst: Ip): IntendedNextHop | undefined {
  const [pod] = cluster.podsAt(dst);
  if (pod?.node === undefined) return undefined;
  if (pod.node !== node) return { kind: 'node', name: pod.node };
  return { kind: 'pod', namespace: pod.namespace, name: pod.name };
}
