import type { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';

const Words = z.array(z.string()).nullish();
const DaemonSet = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({
            name: z.string(),
            command: Words,
            args: Words,
            env: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
          }),
        ),
      }),
    }),
  }),
});

/** How a CNI agent is started: the settings that stand in its DaemonSet. */
export interface AgentSettings {
  /** Command line words of all containers, without the shell's quoting. */
  readonly words: readonly string[];
  /** Variables with a plain value; those that come from elsewhere (valueFrom) are not known here. */
  readonly env: ReadonlyMap<string, string>;
}

/** The first DaemonSet that the predicate takes; undefined when there is none or it cannot be read. */
export function agentSettings(cluster: ClusterIndex, isAgent: (name: string) => boolean): AgentSettings | undefined {
  const found = cluster.all('DaemonSet').find(({ metadata }) => isAgent(metadata.name));
  const parsed = DaemonSet.safeParse(found);
  if (!parsed.success) return undefined;
  const { containers } = parsed.data.spec.template.spec;
  return {
    words: containers.flatMap(({ command, args }) => [...(command ?? []), ...(args ?? [])]).flatMap(splitScript),
    env: new Map(
      containers.flatMap(({ env }) =>
        (env ?? []).flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : [])),
      ),
    ),
  };
}

/** A flag of Go's `flag` package: `-name`, `--name`, `--name=value`, `--name value`; undefined when it is not given. */
export function flagValue({ words }: AgentSettings, name: string): string | undefined {
  for (const [at, word] of words.entries()) {
    if (word === `-${name}` || word === `--${name}`) {
      const next = words[at + 1];
      return next === undefined || next.startsWith('-') ? 'true' : next;
    }
    for (const start of [`-${name}=`, `--${name}=`]) if (word.startsWith(start)) return word.slice(start.length);
  }
  return undefined;
}

/** `sh -c "flanneld --ip-masq"` is one word of the object. */
function splitScript(word: string): string[] {
  return word.includes(' ') ? word.split(/\s+/).filter((part) => part !== '') : [word];
}

/** `DaemonSet kube-system/kindnet`, for the reasons of a detection. */
export function daemonSetReasons(cluster: ClusterIndex, isAgent: (name: string) => boolean): string[] {
  return cluster.all('DaemonSet').flatMap(({ metadata }) => (isAgent(metadata.name) ? [named(metadata)] : []));
}

function named({ namespace, name }: KubernetesObject['metadata']): string {
  return `DaemonSet ${namespace ?? 'default'}/${name}`;
}

/** DaemonSets of network agents, as their projects name them. */
const AGENTS = [
  'antrea-agent',
  'aws-node',
  'calico-node',
  'canal',
  'cilium',
  'kindnet',
  'kube-flannel',
  'kube-ovn-cni',
  'kube-router',
  'ovnkube-node',
  'terway',
  'weave-net',
];

/** An agent of another plugin runs and none of this one: objects and annotations of this one are what was left behind. */
export function isReplaced(cluster: ClusterIndex, isOwn: (name: string) => boolean): boolean {
  const names = cluster.all('DaemonSet').map(({ metadata }) => metadata.name);
  return (
    !names.some(isOwn) && names.some((name) => AGENTS.some((agent) => name === agent || name.startsWith(`${agent}-`)))
  );
}
