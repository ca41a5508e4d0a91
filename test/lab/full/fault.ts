import { must } from '../netns/commands.js';
import { netnsName } from '../netns/lab-namespaces.js';
import type { PolicySpec } from '../cluster/network-policy.js';
import type { Socket } from '../cluster/spec.js';
import type { Cause } from './cause.js';
import type { Target } from './target.js';

/** A shell command, run in a namespace of the built cluster. */
export interface Step {
  readonly at: string;
  readonly run: string;
}

export interface Fault {
  readonly name: string;
  readonly layer: string;
  readonly description: string;
  /** Clusters in which it makes sense; default: all. */
  readonly fits?: (target: Target) => boolean;
  /** What the answer must name first for each probe that it breaks. */
  readonly causes?: (target: Target) => readonly Cause[];
  /** Why it breaks nothing: the answer must not be misled by it. */
  readonly harmless?: string;
  /**
   * What decides is in no dump, and this is it: `undetermined` is the right answer for what it may break. Such probes are the
   * exceptions that docs/explanation/limits.md names.
   */
  readonly undecidable?: string;
  /**
   * Policies in place of the cluster's own, enforced from the start. Such a world is healthy: a policy that is said not to be
   * programmed, not to be enforced or to be stale is a false alarm.
   */
  readonly policies?: (target: Target) => readonly PolicySpec[];
  /** Run when everything listens. */
  readonly steps?: (target: Target) => readonly Step[];
  /** What listens in some namespaces instead of what usually does. */
  readonly listens?: (target: Target) => Readonly<Record<string, readonly Socket[]>>;
}

/** For interfaces that a fault makes: like all of the lab, they give up on a neighbour after 0.6 s, before a probe does. */
export function quickArp(device: string): string {
  return `ip ntable change name arp_cache dev ${device} retrans 200`;
}

export function step(at: string, run: string): Step {
  return { at, run };
}

export async function runSteps(steps: readonly Step[]): Promise<void> {
  for (const { at, run } of steps) await must(['nsenter', `--net=/run/netns/${netnsName(at)}`, 'sh', '-c', run]);
}

type Body = Pick<Fault, 'fits' | 'causes' | 'harmless' | 'undecidable' | 'policies' | 'steps' | 'listens'>;

/** Entries of one layer, written as a table: name, description, what is done. */
export function faultsOf(layer: string, entries: readonly (readonly [string, string, Body])[]): readonly Fault[] {
  return entries.map(([name, description, body]) => ({ name, layer, description, ...body }));
}

export const bridged = (target: Target): boolean => target.isBridged;
export const overlay = (target: Target): boolean => target.isOverlay;
export const routed = (target: Target): boolean => !target.isOverlay;
export const calico = (target: Target): boolean => target.isCalico;
