import { maskIp, parseCidr, type Cidr, type Ip } from '#libs/model';

/** A set of prefixes of both families. One hash look-up for each prefix length that occurs, however many prefixes there are. */
export class CidrSet {
  private readonly v4: readonly (readonly [number, ReadonlySet<Ip>])[];
  private readonly v6: readonly (readonly [number, ReadonlySet<Ip>])[];

  constructor(cidrs: readonly Cidr[]) {
    this.v4 = byLength(cidrs.filter(({ net }) => typeof net === 'number'));
    this.v6 = byLength(cidrs.filter(({ net }) => typeof net !== 'number'));
  }

  contains(ip: Ip): boolean {
    for (const [length, nets] of typeof ip === 'number' ? this.v4 : this.v6)
      if (nets.has(maskIp(ip, length))) return true;
    return false;
  }

  /** True when no prefix of the address's family is in the set. */
  lacksFamilyOf(ip: Ip): boolean {
    return (typeof ip === 'number' ? this.v4 : this.v6).length === 0;
  }
}

/** Reads prefixes; the texts that are none are handed to `onBad`, never dropped in silence. */
export function readCidrs(texts: readonly string[], onBad: (text: string) => void): Cidr[] {
  return texts.flatMap((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) onBad(text);
    return cidr ?? [];
  });
}

function byLength(cidrs: readonly Cidr[]): readonly (readonly [number, ReadonlySet<Ip>])[] {
  const lengths = new Map<number, Set<Ip>>();
  for (const { net, length } of cidrs) {
    const nets = lengths.get(length);
    if (nets === undefined) lengths.set(length, new Set([net]));
    else nets.add(net);
  }
  return [...lengths];
}
