import type { ClusterIndex } from '#libs/cluster';
import { KubeProxy } from '#libs/kube-proxy';
import { formatIp, type NamespaceDump } from '#libs/model';
import { NetNamespace } from '#libs/netstack';
import { SavedRules, type Forgery } from './forge-iptables.js';
import { RecordedTable, type Spot } from './forge-nftables.js';
import type { Mode } from './kube-proxy-case.js';

/** How many were forged, which were not named by a finding of their service, and which services were blamed for nothing. */
export interface ForgeryResult {
  readonly forged: number;
  readonly missed: readonly Forgery[];
  readonly innocent: readonly string[];
}

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A dump whose rules can be forged, several at a time: one of each service, so that every finding has one cause. */
export interface Forge {
  /** All forgeries by service. */
  readonly all: ReadonlyMap<string, readonly { readonly key: number | Spot; readonly forgery: Forgery }[]>;
  dump(changes: readonly { readonly key: number | Spot; readonly forgery: Forgery }[]): NamespaceDump;
}

export function forgeOf(dump: NamespaceDump, mode: Mode, cluster: ClusterIndex, seed: number): Forge {
  const random = seededRandom(seed);
  const services = namesByEntry(cluster);
  const all = new Map<string, { key: number | Spot; forgery: Forgery }[]>();
  const add = (key: number | Spot, forgery: Forgery): void => {
    const list = all.get(forgery.service);
    if (list === undefined) all.set(forgery.service, [{ key, forgery }]);
    else list.push({ key, forgery });
  };
  const withFile = (file: string, text: string): NamespaceDump => ({
    ...dump,
    files: new Map([...dump.files, [file, text]]),
  });
  if (mode === 'nftables') {
    const table = new RecordedTable(dump.files.get('nft.json') ?? '', services);
    for (const spot of table.spots) for (const forgery of table.forgeries(spot, random)) add(spot.spot, forgery);
    return {
      all,
      dump: (changes) =>
        withFile(
          'nft.json',
          table.forge(
            new Map(
              changes.flatMap(({ key, forgery }): [Spot, Forgery][] =>
                typeof key === 'number' ? [] : [[key, forgery]],
              ),
            ),
          ),
        ),
    };
  }
  const file = mode === 'iptables-nft' ? 'iptables-nft-save.txt' : 'iptables-legacy-save.txt';
  const saved = new SavedRules(dump.files.get(file) ?? '', services);
  for (const own of saved.own) for (const forgery of saved.forgeries(own, random)) add(own.line, forgery);
  return {
    all,
    dump: (changes) =>
      withFile(
        file,
        saved.forge(
          new Map(
            changes.flatMap(({ key, forgery }): [number, Forgery][] =>
              typeof key === 'number' ? [[key, forgery]] : [],
            ),
          ),
        ),
      ),
  };
}

/** Forges one rule of each service at a time until `rounds` are over or all forgeries were tried. */
export function findForgeries(forge: Forge, cluster: ClusterIndex, seed: number, rounds: number): ForgeryResult {
  const random = seededRandom(seed);
  const queues = [...forge.all].map(([service, list]) => ({ service, list: shuffled(list, random) }));
  const missed: Forgery[] = [];
  const innocent: string[] = [];
  let forged = 0;
  for (let round = 0; round < rounds; round++) {
    const changes = queues.flatMap(({ list }) => list.slice(round, round + 1));
    if (changes.length === 0) break;
    forged += changes.length;
    const { findings } = new KubeProxy(cluster).on(new NetNamespace(forge.dump(changes))).checkAll();
    const byService = new Map<string, string>();
    for (const { subject, evidence } of findings) {
      const name = subject.kind === 'service' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name;
      const text = evidence.map((one) => `${one.locator} ${one.text}`).join('\n');
      byService.set(name, `${byService.get(name) ?? ''}\n${text}`);
    }
    for (const { forgery } of changes)
      if (byService.get(forgery.service)?.includes(forgery.chain) !== true) missed.push(forgery);
    const guilty = new Set(changes.map(({ forgery }) => forgery.service));
    for (const name of byService.keys()) if (name.includes('/') && !guilty.has(name)) innocent.push(name);
  }
  return { forged, missed, innocent };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Service names by `172.21.0.1 tcp 443`, and by `* tcp 30080` for node ports. */
function namesByEntry(cluster: ClusterIndex): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { namespace, name, clusterIps, externalIps, ingressIps, ports } of cluster.services.values())
    for (const { port, protocol, nodePort } of ports) {
      const transport = protocol.toLowerCase();
      for (const ip of [...clusterIps, ...externalIps, ...ingressIps])
        names.set(`${formatIp(ip)} ${transport} ${port}`, `${namespace}/${name}`);
      if (nodePort !== undefined) names.set(`* ${transport} ${nodePort}`, `${namespace}/${name}`);
    }
  return names;
}
