import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { World } from './world.js';

/** Opinions about one namespace that the packet visited. Cached: a bulk run asks again and again. */
const cache = new WeakMap<World, Map<NetNamespace, readonly Finding[]>>();

export function clusterFindings(world: World, ns: NetNamespace): readonly Finding[] {
  let known = cache.get(world);
  if (known === undefined) cache.set(world, (known = new Map()));
  let findings = known.get(ns);
  if (findings === undefined) known.set(ns, (findings = world.cni.findings(ns)));
  return findings;
}
