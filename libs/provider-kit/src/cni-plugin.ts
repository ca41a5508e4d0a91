import type { Place, Snapshot, Suspicion } from '#libs/model';

/** How sure a plugin is that it runs this cluster, and from what it knows. */
export interface Detection {
  readonly detected: boolean;
  readonly reasons: readonly string[];
}

/** The next hop that the CNI plugin intends for an address; the way past an obstacle. */
export type IntendedNextHop =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string };

/** Something that should be true of a place when the CNI plugin has done its work. `check` gives nothing when it is. */
export interface Expectation {
  readonly at: Place;
  readonly title: string;
  check(): readonly Suspicion[];
}

/** What a CNI plugin promises. Expectations only: it never decides where a packet goes. */
export interface CniPlugin {
  readonly name: string;
  detect(snapshot: Snapshot): Detection;
}
