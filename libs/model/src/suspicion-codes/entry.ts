/** From harmless to fatal; `fatal` is what stops the packet. */
export type Level = 'info' | 'warning' | 'critical' | 'fatal';

export type Layer =
  | 'ENDPOINT'
  | 'LINK'
  | 'MTU'
  | 'ROUTE'
  | 'NEIGH'
  | 'SYSCTL'
  | 'NETFILTER'
  | 'SERVICE'
  | 'KUBEPROXY'
  | 'CONNTRACK'
  | 'NETPOL'
  | 'OVERLAY'
  | 'CLOUD'
  | 'ANALYSIS';

/**
 * What is said of a finding. `{holes}` are filled from its facts (holes.ts lists them); what stands in `[brackets]` around a hole
 * is left out when the finding does not have that fact.
 */
export interface CodeTexts {
  /** What happens, and where: together with the remedy it must make sense without any other output. */
  readonly message: string;
  /** What it means and how it comes about, in one or two sentences. */
  readonly cause: string;
  /** Commands that show it by hand; what to look for stands behind `#`. */
  readonly check: readonly string[];
  /** What to change: a sentence, or a command with the place where it is to be run. */
  readonly remedy: string;
  /** In its place when the subject is a pod: what helps on a node may be no way to repair a pod. */
  readonly remedyForPod?: string;
}

export interface CodeEntry extends CodeTexts {
  readonly layer: Layer;
  /** The level when the finding does not stop the packet; a blocking one is always `fatal`. */
  readonly level: Level;
}

/** Makes the entries of one layer. */
export function codesOf(layer: Layer): (level: Exclude<Level, 'fatal'>, texts: CodeTexts) => CodeEntry {
  return (level, texts) => ({ layer, level, ...texts });
}
