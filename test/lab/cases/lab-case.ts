import type { SuspicionCode, Symptom, Verdict } from '#libs/model';
import type { ClusterSpec } from '../cluster/spec.js';
import type { Topology } from '../cluster/topology.js';

/** What the sample says about a pair. The kernel's answer must have the same symptom, or the lab fails. */
export interface Expectation {
  readonly verdict: Verdict;
  readonly symptom: Symptom;
  /** The first cause; empty when there is none. */
  readonly codes: readonly SuspicionCode[];
}

/** One cluster, healthy or with one fault. */
export interface LabCase {
  readonly name: string;
  readonly title: string;
  readonly topology: Topology;
  readonly cluster: ClusterSpec;
  /** Run in a namespace of the built cluster, before any traffic. */
  readonly breakage?: readonly { readonly at: string; readonly argv: readonly string[] }[];
  /** By id of the pair; these go into samples/cases.json. */
  readonly expected: Readonly<Record<string, Expectation>>;
}

/** True when nothing is expected to be wrong. */
export function isHealthy({ expected }: LabCase): boolean {
  return Object.values(expected).every(({ codes }) => codes.length === 0);
}
