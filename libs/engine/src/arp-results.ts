import type { Ip } from '#libs/model';
import type { Chooser, Link } from '#libs/netstack';
import type { ArpResult } from './fabric.js';

/** More than the pods of a large cluster and their gateways; beyond it the memory is given back and filled anew. */
const MAX_RESULTS = 50_000;

/** Who answered for an address on a link, by who asked. Nothing else is read, so the answer holds as long as the snapshot. */
export class ArpResults {
  private readonly byLink = new Map<Link, Map<Ip | number, Map<Ip | number, ArpResult>>>();
  private count = 0;

  get(link: Link, target: Ip, sender: Ip): ArpResult | undefined {
    return this.byLink.get(link)?.get(keyOf(target))?.get(keyOf(sender));
  }

  set(link: Link, target: Ip, sender: Ip, result: ArpResult): void {
    if (++this.count > MAX_RESULTS) {
      this.byLink.clear();
      this.count = 1;
    }
    inner(inner(this.byLink, link), keyOf(target)).set(keyOf(sender), result);
  }
}

/** Addresses above 128.0.0.0 are doubles, which make slow keys: as signed numbers they are small integers. */
function keyOf(ip: Ip): Ip | number {
  return typeof ip === 'number' ? ip | 0 : ip;
}

/** The inner map of a two-level map, made when it is not there. */
function inner<K, L, V>(outer: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let map = outer.get(key);
  if (map === undefined) outer.set(key, (map = new Map()));
  return map;
}

/** Tells whether dice or a missing fact took part: what came out then holds for this walk only. */
export class WatchedChooser implements Chooser {
  wasAsked = false;

  constructor(private readonly chooser: Chooser) {}

  pick(key: string, weights: readonly number[]): number {
    this.wasAsked = true;
    return this.chooser.pick(key, weights);
  }

  guess(what: string): boolean {
    this.wasAsked = true;
    return this.chooser.guess(what);
  }
}
