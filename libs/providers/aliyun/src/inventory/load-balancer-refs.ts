import { z } from 'zod';
import type { KubernetesObject } from '#libs/model';

/** A service whose load balancer is looked up, with what the objects say of it. */
export interface LoadBalancerRef {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'clb' | 'nlb';
  readonly id?: string;
  readonly addresses: readonly string[];
  readonly hostnames: readonly string[];
}

const Service = z.looseObject({
  kind: z.literal('Service'),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default('default'),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.looseObject({ type: z.literal('LoadBalancer'), loadBalancerClass: z.string().optional() }),
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({
          ingress: z.array(z.looseObject({ ip: z.string().optional(), hostname: z.string().optional() })).default([]),
        })
        .default({ ingress: [] }),
    })
    .default({ loadBalancer: { ingress: [] } }),
});
type Service = z.infer<typeof Service>;

const NLB_CLASS = 'alibabacloud.com/nlb';
const ANNOTATION = 'service.beta.kubernetes.io/alibaba-cloud-loadbalancer';
const OLD_ANNOTATION = 'service.beta.kubernetes.io/alicloud-loadbalancer';

/**
 * The load balancers of a cluster's services, found as its cloud controller finds them: by the label that it writes, by the annotation
 * that a user writes, by the address in the status. Source: kubernetes/cloud-provider-alibaba-cloud.
 */
export function loadBalancerRefs(objects: readonly KubernetesObject[]): readonly LoadBalancerRef[] {
  return objects.flatMap((object) => {
    const parsed = Service.safeParse(object);
    return parsed.success ? refsOf(parsed.data) : [];
  });
}

function refsOf({ metadata, spec, status }: Service): readonly LoadBalancerRef[] {
  const { labels, annotations } = metadata;
  const annotation = (name: string): string | undefined =>
    annotations[`${ANNOTATION}-${name}`] ?? annotations[`${OLD_ANNOTATION}-${name}`];
  // Another class is another controller's business.
  if (spec.loadBalancerClass !== undefined && spec.loadBalancerClass !== NLB_CLASS) return [];
  if ('service.beta.kubernetes.io/class' in annotations) return [];
  const id = labels['service.k8s.alibaba/loadbalancer-id'] ?? annotation('id');
  const { ingress } = status.loadBalancer;
  const isNlb = spec.loadBalancerClass === NLB_CLASS || annotation('type') === 'nlb' || id?.startsWith('nlb-') === true;
  const addresses = ingress.map(({ ip }) => ip).filter((ip) => ip !== undefined);
  const hostnames = ingress.map(({ hostname }) => hostname).filter((name) => name !== undefined);
  if (id === undefined && addresses.length === 0 && hostnames.length === 0) return [];
  return [
    {
      namespace: metadata.namespace,
      name: metadata.name,
      kind: isNlb ? 'nlb' : 'clb',
      ...(id === undefined ? {} : { id }),
      addresses,
      hostnames,
    },
  ];
}
