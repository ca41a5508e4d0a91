import { dumpKey, type ClusterIndex } from '#libs/cluster';
import type { Ip, NamespaceDump } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import { z } from 'zod';

const LinkRows = z.array(
  z.looseObject({
    ifindex: z.number(),
    ifname: z.string(),
    link_index: z.number().optional(),
    linkinfo: z.looseObject({ info_kind: z.string().optional() }).optional(),
  }),
);

interface PodEnd {
  readonly index: number;
  readonly peerIndex: number;
}

/** A dump is immutable, and asked for once for each packet to its pod. */
const podEnds = new WeakMap<NamespaceDump, PodEnd | null>();

/** The node's end of the link of the pod that has the address; undefined when there is none, or the pod was not collected. */
export function hostEndOf(cluster: ClusterIndex, node: NetNamespace, dst: Ip): string | undefined {
  const pod = cluster.podsAt(dst).find((candidate) => candidate.node === node.place.name);
  const dump = pod && cluster.dumps.get(dumpKey({ kind: 'pod', namespace: pod.namespace, name: pod.name }));
  const end = dump && podEndOf(dump);
  const host = end && node.linksByIndex.get(end.peerIndex);
  return host?.kind === 'veth' && host.peerIndex === end?.index ? host.name : undefined;
}

/** eth0, or the only veth. Only the indexes are read: the whole namespace is not needed for them. */
function podEndOf(dump: NamespaceDump): PodEnd | undefined {
  let end = podEnds.get(dump);
  if (end === undefined) podEnds.set(dump, (end = readPodEnd(dump) ?? null));
  return end ?? undefined;
}

function readPodEnd(dump: NamespaceDump): PodEnd | undefined {
  const veths = linkRows(dump).filter(({ linkinfo }) => linkinfo?.info_kind === 'veth');
  const row = veths.find(({ ifname }) => ifname === 'eth0') ?? (veths.length === 1 ? veths[0] : undefined);
  return row?.link_index === undefined ? undefined : { index: row.ifindex, peerIndex: row.link_index };
}

/** A file that cannot be read names no end; whoever walks into the pod says why. */
function linkRows(dump: NamespaceDump): z.output<typeof LinkRows> {
  const text = dump.files.get('ip-link.json');
  if (text === undefined || text.trim() === '') return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = LinkRows.safeParse(json);
  return parsed.success ? parsed.data : [];
}
