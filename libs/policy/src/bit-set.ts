/** A fixed-size set of small integers; asking is one word and one mask. Sets that are combined have the same size. */
export class BitSet {
  private constructor(private readonly words: Uint32Array) {}

  static empty(size: number): BitSet {
    return new BitSet(new Uint32Array((size + 31) >>> 5));
  }

  static of(size: number, members: Iterable<number>): BitSet {
    const words = new Uint32Array((size + 31) >>> 5);
    for (const member of members) words[member >>> 5] = (words[member >>> 5] ?? 0) | (1 << (member & 31));
    return new BitSet(words);
  }

  has(member: number): boolean {
    return ((this.words[member >>> 5] ?? 0) & (1 << (member & 31))) !== 0;
  }

  isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  and(other: BitSet): BitSet {
    return new BitSet(this.words.map((word, i) => word & (other.words[i] ?? 0)));
  }

  or(other: BitSet): BitSet {
    return new BitSet(this.words.map((word, i) => word | (other.words[i] ?? 0)));
  }

  minus(other: BitSet): BitSet {
    return new BitSet(this.words.map((word, i) => word & ~(other.words[i] ?? 0)));
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const [i, word] of this.words.entries())
      for (let rest = word; rest !== 0; rest &= rest - 1) yield i * 32 + 31 - Math.clz32(rest & -rest);
  }
}
