import type { ClusterIndex } from '#libs/cluster';
import { z } from 'zod';

/** What matters of flannel's configuration; unknown back ends count as host-gw's nearest, `other`. */
export interface FlannelConfig {
  readonly backend: 'host-gw' | 'vxlan' | 'alloc' | 'other';
  readonly vni: number;
  readonly directRouting: boolean;
  readonly bridge: string;
}

const NetConf = z.looseObject({
  Backend: z
    .looseObject({ Type: z.string().optional(), VNI: z.number().optional(), DirectRouting: z.boolean().optional() })
    .optional(),
});

/** From net-conf.json of the ConfigMap, else from the annotations that flannel writes on the nodes. */
export function flannelConfig(cluster: ClusterIndex): FlannelConfig {
  const data =
    cluster.configMap('kube-flannel', 'kube-flannel-cfg') ?? cluster.configMap('kube-system', 'kube-flannel-cfg');
  const conf = parseNetConf(data?.['net-conf.json']);
  return {
    backend: backendType(conf?.Type ?? annotatedType(cluster)),
    vni: conf?.VNI ?? 1,
    directRouting: conf?.DirectRouting ?? false,
    bridge: 'cni0',
  };
}

function parseNetConf(text: string | undefined): z.output<typeof NetConf>['Backend'] {
  if (text === undefined) return undefined;
  try {
    const parsed = NetConf.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.Backend : undefined;
  } catch {
    // flannel itself would not start with it; the annotations say what it did before.
    return undefined;
  }
}

function annotatedType(cluster: ClusterIndex): string {
  for (const node of cluster.nodes.values()) {
    const type = node.annotations['flannel.alpha.coreos.com/backend-type'];
    if (type !== undefined) return type;
  }
  return 'host-gw';
}

function backendType(text: string): FlannelConfig['backend'] {
  const type = text.toLowerCase();
  if (type === 'vxlan' || type === 'host-gw') return type;
  // Back ends that write the routes into the cloud's route table.
  if (['alloc', 'ali-vpc', 'aliyun', 'aws-vpc', 'gce', 'tencent-vpc'].includes(type)) return 'alloc';
  return 'other';
}
