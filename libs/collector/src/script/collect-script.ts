import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A pod (or, in labs, an external host) whose namespace is wanted. */
export interface WantedNamespace {
  /** Undefined for a host outside of the cluster. */
  readonly namespace?: string;
  readonly name: string;
  /** metadata.uid; for static pods also the hash that the kubelet names their cgroup by (annotation kubernetes.io/config.hash). */
  readonly uids: readonly string[];
  readonly ips: readonly string[];
  /** The file of its network namespace, where it is known beforehand. */
  readonly path?: string;
}

export interface ScriptRequest {
  readonly cluster: string;
  readonly node: string;
  /** Undefined: every pod that the node knows. */
  readonly pods?: readonly WantedNamespace[];
  /** Namespaces read at the same time; default 2. */
  readonly jobs?: number;
  /** After this the script sends what it has; default 90. */
  readonly seconds?: number;
  /** The node's network namespace and file system where they are not those of process 1 (labs). */
  readonly hostNamespace?: string;
  readonly root?: string;
}

const NAME = /^[a-z0-9][a-z0-9.-]*$/;
const UID = /^[0-9a-zA-Z-]+$/;
const ADDRESS = /^[0-9a-fA-F.:]+$/;
const PATH = /^\/[A-Za-z0-9_/.-]*$/;
const CLUSTER = /^[A-Za-z0-9._-]+$/;

/** The text of libs/collector/script/collect.sh, from wherever this code was compiled to. */
export function collectScript(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder) throw new Error('collector: no package.json above this file');
    folder = dirname(folder);
  }
  return readFileSync(join(folder, 'libs', 'collector', 'script', 'collect.sh'), 'utf8');
}

/**
 * What `sh -s` gets on standard input: the request as assignments, then the script. Nothing goes through arguments: those of an exec
 * stand in URLs and audit logs. Values that are no plain names are left out, so nothing here needs quoting.
 */
export function scriptInput(request: ScriptRequest): string {
  const { cluster, node, pods, jobs, seconds, hostNamespace, root } = request;
  const settings: (readonly [string, string | undefined])[] = [
    ['HOPSCOPE_NODE', checked(node, NAME, 'name of a node')],
    ['HOPSCOPE_CLUSTER', CLUSTER.test(cluster) ? cluster : undefined],
    ['HOPSCOPE_JOBS', jobs?.toFixed(0)],
    ['HOPSCOPE_SECONDS', seconds?.toFixed(0)],
    ['HOPSCOPE_HOST_NS', hostNamespace && checked(hostNamespace, PATH, 'path')],
    ['HOPSCOPE_ROOT', root && checked(root, PATH, 'path')],
    ['HOPSCOPE_PODS', pods?.map(formatWanted).join('\n')],
  ];
  const head = settings.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}='${value}'\nexport ${name}\n`],
  );
  return `${head.join('')}${collectScript()}`;
}

function formatWanted({ namespace, name, uids, ips, path }: WantedNamespace): string {
  const words = [
    namespace === undefined ? '-' : checked(namespace, NAME, 'namespace'),
    checked(name, NAME, 'name of a pod'),
    uids.filter((uid) => UID.test(uid)).join(',') || '-',
    ips.filter((ip) => ADDRESS.test(ip)).join(',') || '-',
    ...(path === undefined ? [] : [checked(path, PATH, 'path')]),
  ];
  return words.join(' ');
}

function checked(text: string, pattern: RegExp, what: string): string {
  if (!pattern.test(text)) throw new Error(`collector: ${JSON.stringify(text)} is no ${what}`);
  return text;
}
