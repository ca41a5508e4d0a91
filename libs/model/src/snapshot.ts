/** Everything a diagnosis may read about one cluster at one time, as files; parsed by netstack (dumps) and cluster (objects). */
export interface Snapshot {
  readonly cluster: string;
  /** RFC 3339, UTC. */
  readonly takenAt: string;
  readonly collector: string;
  /** As snapshot.json says: `error` is why the node's dump is missing or partial. */
  readonly nodes: ReadonlyMap<string, { readonly takenAt?: string; readonly error: string | null }>;
  /** Kubernetes objects as the API server returned them; undefined when kubernetes.json was not collected. */
  readonly objects: readonly KubernetesObject[] | undefined;
  /** Parsed JSON of cloud.json and underlay.json, not yet validated; undefined when not there. */
  readonly cloud: unknown;
  readonly underlay: unknown;
  readonly dumps: readonly NamespaceDump[];
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** Raw state of one network namespace: the text of each file of docs/reference/snapshot-format, by file name. */
export interface NamespaceDump {
  readonly kind: 'node' | 'pod' | 'external';
  readonly namespace?: string;
  readonly name: string;
  /** The node that a pod runs on, when meta.json says so. */
  readonly node?: string;
  readonly uid?: string;
  readonly netnsInode?: number;
  readonly files: ReadonlyMap<string, string>;
}
