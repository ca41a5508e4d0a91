import { maskIp, type Cidr, type Ip } from '#libs/model';

/** Values by prefix; a look-up takes one step per prefix length that occurs, however many prefixes there are. */
export class PrefixMap<T> {
  private readonly byLength = new Map<number, Map<Ip, { readonly cidr: Cidr; readonly value: T }>>();
  private readonly lengths: readonly number[];

  /** Of equal prefixes the first counts. */
  constructor(entries: Iterable<readonly [Cidr, T]>) {
    for (const [cidr, value] of entries) {
      let same = this.byLength.get(cidr.length);
      if (same === undefined) this.byLength.set(cidr.length, (same = new Map()));
      if (!same.has(cidr.net)) same.set(cidr.net, { cidr, value });
    }
    this.lengths = [...this.byLength.keys()].toSorted((a, b) => b - a);
  }

  /** The longest prefix that contains the address. */
  lookup(ip: Ip): { readonly cidr: Cidr; readonly value: T } | undefined {
    const bits = typeof ip === 'number' ? 32 : 128;
    for (const length of this.lengths) {
      if (length > bits) continue;
      const found = this.byLength.get(length)?.get(maskIp(ip, length));
      if (found !== undefined && typeof found.cidr.net === typeof ip) return found;
    }
    return undefined;
  }
}
