import type { ClusterIndex } from '#libs/cluster';
import type { Ip } from '#libs/model';
import type { IntendedNextHop } from '#libs/provider-kit';

/** To the node of the pod that has the address, else to the node that owns its network; on that node to the pod itself. */
export function intendedHop(
  cluster: ClusterIndex,
  ownerOf: (ip: Ip) => string | undefined,
  node: string,
  dst: Ip,
): IntendedNextHop | undefined {
  const [pod] = cluster.podsAt(dst);
  const owner = pod?.node ?? ownerOf(dst);
  if (owner !== undefined && owner !== node) return { kind: 'node', name: owner };
  return pod === undefined ? undefined : { kind: 'pod', namespace: pod.namespace, name: pod.name };
}

/** The pod that has the address by its object, for those who have it without. */
export function podOwner(cluster: ClusterIndex): (ip: Ip) => string | undefined {
  return (ip) => {
    const [pod] = cluster.podsAt(ip);
    return pod === undefined ? undefined : `pod ${pod.namespace}/${pod.name}`;
  };
}
