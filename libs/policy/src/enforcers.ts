import type { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';
import type { PolicyFamily } from './policy-ref.js';

/** With what an enforcer drops packets. Only `netfilter` is seen by the walk: of the others a packet that passes proves nothing. */
export type Dataplane = 'netfilter' | 'nfqueue' | 'ebpf' | 'ovs';

/** Somebody who turns policy objects into rules on the nodes. */
export interface Enforcer {
  readonly name:
    | 'calico'
    | 'cilium'
    | 'kube-router'
    | 'kindnet'
    | 'kube-network-policies'
    | 'antrea'
    | 'weave'
    | 'ovn-kubernetes'
    | 'kube-ovn'
    | 'aws'
    | 'azure'
    | 'romana'
    | 'terway';
  /** Families of policies that it is known to enforce. One that is missing may be enforced or not: `uncertain` says so. */
  readonly families: readonly PolicyFamily[];
  readonly uncertain: readonly PolicyFamily[];
  readonly dataplane: Dataplane;
  /** The object that shows it, as a locator: `DaemonSet/kube-system/calico-node`. */
  readonly reasons: readonly string[];
}

export interface Enforcement {
  readonly enforcers: readonly Enforcer[];
  /** `nobody` is an answer; `unknown` is none: the workloads of the cluster were not collected. */
  readonly kind: 'somebody' | 'nobody' | 'unknown';
  readonly reasons: readonly string[];
}

const Workload = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({
            name: z.string(),
            image: z.string().nullish(),
            command: z.array(z.string()).nullish(),
            args: z.array(z.string()).nullish(),
            env: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
          }),
        ),
      }),
    }),
  }),
});
type Container = z.infer<typeof Workload>['spec']['template']['spec']['containers'][number];

interface Sign {
  readonly name: Enforcer['name'];
  readonly families?: readonly PolicyFamily[];
  readonly uncertain?: readonly PolicyFamily[];
  /** Undefined: not it. Else what was seen, for people. */
  readonly seen: (container: Container, daemonSet: string) => string | undefined;
}

/** kindnetd of kind carries its date as tag; network policies came with v20240813 (kind 0.24, kubernetes-sigs/kind#3612). */
const KINDNETD_WITH_POLICIES = 20240813;

const SIGNS: readonly Sign[] = [
  {
    name: 'calico',
    families: ['kubernetes', 'calico'],
    uncertain: ['admin'],
    seen: ({ name, image }) =>
      name === 'calico-node' || (imageName(image) === 'node' && image?.includes('calico') === true)
        ? 'runs calico-node (Felix)'
        : undefined,
  },
  {
    name: 'cilium',
    families: ['kubernetes'],
    uncertain: ['admin'],
    seen: ({ name }) => (name === 'cilium-agent' ? 'runs cilium-agent' : undefined),
  },
  {
    name: 'kube-router',
    families: ['kubernetes'],
    seen: ({ name, image, args, command }) => {
      if (name !== 'kube-router' && imageName(image) !== 'kube-router') return undefined;
      const off = [...(command ?? []), ...(args ?? [])].some((arg) => /^--run-firewall=false$/i.test(arg));
      return off ? undefined : 'runs kube-router with its firewall';
    },
  },
  {
    name: 'kindnet',
    families: ['kubernetes'],
    uncertain: ['admin'],
    seen: (container) =>
      isKindnet(container) && kindnetHasPolicies(container) === true
        ? `runs kindnet ${tagOf(container.image)}, which enforces policies`
        : undefined,
  },
  {
    name: 'kindnet',
    uncertain: ['kubernetes', 'admin'],
    seen: (container) =>
      isKindnet(container) && kindnetHasPolicies(container) === undefined
        ? `runs kindnet of an unknown version (${container.image ?? 'no image'}); it enforces policies since v20240813 or v1.3.0`
        : undefined,
  },
  {
    name: 'kube-network-policies',
    families: ['kubernetes'],
    uncertain: ['admin'],
    seen: ({ name, image }) =>
      name === 'kube-network-policies' || imageName(image) === 'kube-network-policies'
        ? 'runs kube-network-policies'
        : undefined,
  },
  {
    name: 'antrea',
    families: ['kubernetes'],
    uncertain: ['admin'],
    seen: ({ name }) => (name === 'antrea-agent' ? 'runs antrea-agent' : undefined),
  },
  {
    name: 'weave',
    families: ['kubernetes'],
    seen: ({ name }) => (name === 'weave-npc' ? 'runs weave-npc' : undefined),
  },
  {
    name: 'ovn-kubernetes',
    families: ['kubernetes'],
    uncertain: ['admin'],
    seen: ({ name }, daemonSet) =>
      name === 'ovnkube-controller' || daemonSet === 'ovnkube-node' ? 'runs ovnkube' : undefined,
  },
  {
    name: 'kube-ovn',
    families: ['kubernetes'],
    seen: (_, daemonSet) => (daemonSet === 'kube-ovn-cni' ? 'runs kube-ovn' : undefined),
  },
  {
    name: 'aws',
    families: ['kubernetes'],
    seen: ({ name, args }) =>
      (name === 'aws-eks-nodeagent' || name === 'aws-network-policy-agent') &&
      args?.some((arg) => /^--enable-network-policy=true$/.test(arg)) === true
        ? 'runs the network policy agent of the VPC CNI'
        : undefined,
  },
  {
    name: 'azure',
    families: ['kubernetes'],
    seen: (_, daemonSet) => (daemonSet === 'azure-npm' ? 'runs azure-npm' : undefined),
  },
  {
    name: 'romana',
    families: ['kubernetes'],
    seen: (_, daemonSet) => (daemonSet === 'romana-agent' ? 'runs romana-agent' : undefined),
  },
  {
    name: 'terway',
    families: ['kubernetes'],
    uncertain: ['calico'],
    seen: ({ name, args, env }) => {
      if (name !== 'policy') return undefined;
      const off = env?.some((entry) => entry.name === 'DISABLE_POLICY' && entry.value === 'true') === true;
      return off || args?.includes('disabled') === true ? undefined : 'runs the policy container of Terway';
    },
  },
];

const DATAPLANES: Readonly<Partial<Record<Enforcer['name'], Dataplane>>> = {
  cilium: 'ebpf',
  aws: 'ebpf',
  kindnet: 'nfqueue',
  'kube-network-policies': 'nfqueue',
  antrea: 'ovs',
  'ovn-kubernetes': 'ovs',
  'kube-ovn': 'ovs',
};
const FelixConfiguration = z.looseObject({ spec: z.looseObject({ bpfEnabled: z.boolean().nullish() }).nullish() });

/** Who enforces network policies in this cluster, told from its DaemonSets. Flannel, ptp and plain bridges enforce nothing. */
export function findEnforcement(cluster: ClusterIndex): Enforcement {
  if (!cluster.objectsCollected)
    return { kind: 'unknown', enforcers: [], reasons: ['the Kubernetes objects were not collected'] };
  const daemonSets = cluster.all('DaemonSet');
  if (daemonSets.length === 0)
    return {
      kind: 'unknown',
      enforcers: [],
      reasons: ['the snapshot holds no DaemonSet, so it does not tell what runs on the nodes'],
    };
  const unreadable: string[] = [];
  const found = new Map<Enforcer['name'], Enforcer>();
  for (const object of daemonSets) {
    const containers = Workload.safeParse(object);
    if (!containers.success) {
      unreadable.push(`${locator(object)} is not shaped like a DaemonSet`);
      continue;
    }
    for (const container of containers.data.spec.template.spec.containers)
      for (const { name, families, uncertain, seen } of SIGNS) {
        const what = seen(container, object.metadata.name);
        if (what === undefined) continue;
        const reason = `${locator(object)} ${what}`;
        const known = found.get(name);
        found.set(name, {
          name,
          families: families ?? [],
          uncertain: uncertain ?? [],
          dataplane: name === 'calico' && calicoUsesEbpf(cluster) ? 'ebpf' : (DATAPLANES[name] ?? 'netfilter'),
          reasons: [...(known?.reasons ?? []), reason],
        });
      }
  }
  const enforcers = [...found.values()];
  if (enforcers.length > 0)
    return { kind: 'somebody', enforcers, reasons: enforcers.flatMap(({ reasons }) => reasons) };
  if (unreadable.length > 0) return { kind: 'unknown', enforcers, reasons: unreadable };
  const names = daemonSets.map(locator).toSorted();
  return {
    kind: 'nobody',
    enforcers,
    reasons: [`none of the DaemonSets enforces network policies: ${names.join(', ')}`],
  };
}

/** Whether policies of a family are enforced: `unknown` when nobody can be named who does, and somebody may. */
export function enforces({ kind, enforcers }: Enforcement, family: PolicyFamily): 'yes' | 'no' | 'unknown' {
  if (kind === 'unknown') return 'unknown';
  if (enforcers.some(({ families }) => families.includes(family))) return 'yes';
  return enforcers.some(({ uncertain }) => uncertain.includes(family)) ? 'unknown' : 'no';
}

/** With what policies of a family are enforced; undefined when nobody is known to. */
export function dataplaneOf({ enforcers }: Enforcement, family: PolicyFamily): Dataplane | undefined {
  return enforcers.find(({ families }) => families.includes(family))?.dataplane;
}

function calicoUsesEbpf(cluster: ClusterIndex): boolean {
  return cluster.all('FelixConfiguration').some((object) => {
    const parsed = FelixConfiguration.safeParse(object);
    return object.metadata.name === 'default' && parsed.success && parsed.data.spec?.bpfEnabled === true;
  });
}

function isKindnet({ name, image }: Container): boolean {
  return name === 'kindnet-cni' || imageName(image) === 'kindnetd' || imageName(image) === 'kindnet';
}

/** True or false by the version in the image's tag, undefined when that tells nothing. */
function kindnetHasPolicies({ image }: Container): boolean | undefined {
  const tag = tagOf(image);
  const date = /^v?(\d{8})\b/.exec(tag)?.[1];
  if (date !== undefined) return Number(date) >= KINDNETD_WITH_POLICIES;
  // The stand-alone kindnet (aojea/kindnet) has them since v1.3.0.
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(tag) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 3);
}

function tagOf(image: string | null | undefined): string {
  return /:([^/:@]+)(?:@.*)?$/.exec(image ?? '')?.[1] ?? '';
}

function imageName(image: string | null | undefined): string {
  const path = (image ?? '').split('@')[0] ?? '';
  const last = path.slice(path.lastIndexOf('/') + 1);
  return last.split(':')[0] ?? '';
}

function locator({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}
