import { z } from 'zod';
import type { KubernetesObject } from '#libs/model';

/** A node and the instance that it is. */
export interface InstanceRef {
  readonly node: string;
  readonly region: string;
  readonly instanceId: string;
}

/** A node of which the cloud knows nothing. */
export interface ForeignNode {
  readonly node: string;
  readonly providerId: string | undefined;
}

const Node = z.looseObject({
  kind: z.literal('Node'),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ providerID: z.string().optional() }).default({}),
});

/** `cn-hangzhou.i-bp1...`, or with `alicloud://` in front. `ack-hybrid://...` and virtual nodes are no instances. */
const PROVIDER_ID = /^(?:alicloud:\/\/)?([a-z]{2}-[a-z0-9-]+)\.(i-[a-zA-Z0-9]+)$/;

/** The instances of a cluster's nodes, by their provider ids, and the nodes that have none. */
export function instanceRefs(objects: readonly KubernetesObject[]): {
  readonly instances: readonly InstanceRef[];
  readonly foreign: readonly ForeignNode[];
} {
  const instances: InstanceRef[] = [];
  const foreign: ForeignNode[] = [];
  for (const object of objects) {
    const parsed = Node.safeParse(object);
    if (!parsed.success) continue;
    const { metadata, spec } = parsed.data;
    const [, region, instanceId] = PROVIDER_ID.exec(spec.providerID ?? '') ?? [];
    if (region === undefined || instanceId === undefined) {
      foreign.push({ node: metadata.name, providerId: spec.providerID });
    } else {
      instances.push({ node: metadata.name, region, instanceId });
    }
  }
  return { instances, foreign };
}
