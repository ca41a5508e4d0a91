import type { Json, NativeSet } from '../../parse/nft.js';
import { compileTest, isConcat, keyOf, member, scalar, unwrapElement, type Test, type Value } from './value.js';

/** A set or map, ready to be asked: exact elements in a hash, the others (prefixes, ranges) one by one. */
export class CompiledSet {
  private readonly exact = new Map<string, Json>();
  private readonly tests: { readonly test: Test; readonly data: Json }[] = [];

  constructor(elements: readonly Json[]) {
    for (const element of elements) {
      // An element of a map is a pair of key and data.
      const [rawKey, data] =
        Array.isArray(element) && element.length === 2 ? [element[0] as Json, element[1] as Json] : [element, true];
      const key = unwrapElement(rawKey);
      const value = exactValue(key);
      if (value === undefined) this.tests.push({ test: compileTest(key), data });
      else this.exact.set(keyOf(value), data);
    }
  }

  static of(set: NativeSet): CompiledSet {
    return new CompiledSet(set.elements);
  }

  get size(): number {
    return this.exact.size + this.tests.length;
  }

  /** What the set holds for the value: map data, true for sets; undefined data means it is not in. `unknown`: cannot be told. */
  find(value: Value): { readonly data: Json } | 'absent' | 'unknown' {
    const found = this.exact.get(keyOf(value));
    if (found !== undefined) return { data: found };
    let unknown = false;
    for (const { test, data } of this.tests) {
      const one = test(value);
      if (one === true) return { data };
      if (one === undefined) unknown = true;
    }
    return unknown ? 'unknown' : 'absent';
  }
}

function exactValue(key: Json): Value | undefined {
  const concat = member(key, 'concat');
  if (Array.isArray(concat)) {
    const parts: Value[] = [];
    for (const part of concat as readonly Json[]) {
      const value = exactValue(part);
      if (value === undefined || isConcat(value)) return undefined;
      parts.push(value);
    }
    return { parts };
  }
  const value = scalar(key);
  return typeof value === 'string' && value.endsWith('*') ? undefined : value;
}
