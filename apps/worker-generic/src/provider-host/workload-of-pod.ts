import type { KubernetesObject, Snapshot } from '#libs/model';
import { z } from 'zod';

const Owned = z.looseObject({
  ownerReferences: z
    .array(z.looseObject({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

/** `deployment/<namespace>/<name>` of a pod, or the pod itself when nothing owns it. */
export type WorkloadOfPod = (namespace: string, name: string) => string;

/** Follows owner references: pod, ReplicaSet, Deployment. Restarts change the pod's name, not the workload's. */
export function workloadsOf(snapshot: Snapshot): WorkloadOfPod {
  const owned = new Map<string, KubernetesObject>();
  for (const object of snapshot.objects ?? [])
    if (object.kind === 'Pod' || object.kind === 'ReplicaSet') owned.set(key(object.kind, object.metadata), object);
  return (namespace, name) => {
    const owner = ownerOf(owned.get(key('Pod', { namespace, name })));
    if (owner === undefined) return `pod/${namespace}/${name}`;
    if (owner.kind !== 'ReplicaSet') return `${owner.kind.toLowerCase()}/${namespace}/${owner.name}`;
    const deployment = ownerOf(owned.get(key('ReplicaSet', { namespace, name: owner.name })));
    // Without the ReplicaSet itself: its name is the Deployment's and the hash that the pod is labelled with.
    const hash = owner.podTemplateHash;
    const guessed =
      hash !== undefined && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : undefined;
    const deploymentName = deployment?.name ?? guessed;
    return deploymentName === undefined
      ? `replicaset/${namespace}/${owner.name}`
      : `deployment/${namespace}/${deploymentName}`;
  };
}

function ownerOf(object: KubernetesObject | undefined) {
  const parsed = Owned.safeParse(object?.metadata);
  if (!parsed.success) return undefined;
  const owner = parsed.data.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  return { kind: owner.kind, name: owner.name, podTemplateHash: parsed.data.labels?.['pod-template-hash'] };
}

function key(kind: string, { namespace = '', name }: { readonly namespace?: string; readonly name: string }): string {
  return `${kind}/${namespace}/${name}`;
}
