import * as fc from 'fast-check';
import { canonicalJson, contentHash } from './canonical.js';

/** The same value with the keys of every object in the opposite order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reordered(member)]),
  );
}

const json = fc.jsonValue({ maxDepth: 4 });

describe('canonicalJson', () => {
  it.each([
    { value: { b: 1, a: 2 }, text: '{"a":2,"b":1}' },
    { value: { a: undefined, b: null }, text: '{"b":null}' },
    { value: [undefined, 1], text: '[null,1]' },
    { value: { b: { d: [], c: {} }, a: 'ü"\n' }, text: '{"a":"ü\\"\\n","b":{"c":{},"d":[]}}' },
    { value: { a10: 1, a9: 2, B: 3 }, text: '{"B":3,"a10":1,"a9":2}' },
  ])('$text', ({ value, text }) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('tells keys with line ends from two keys', () => {
    expect(canonicalJson({ 'a\nb': 1 })).toBe('{"a\\nb":1}');
    expect(canonicalJson({ a: 1, b: 2 })).toBe('{"a":1,"b":2}');
    expect(canonicalJson({ 'a\nb': 1 })).toBe('{"a\\nb":1}');
    expect(canonicalJson({ a: 1, 'b\nc': 2 })).toBe('{"a":1,"b\\nc":2}');
    expect(canonicalJson({ 'a\nb': 1, c: 2 })).toBe('{"a\\nb":1,"c":2}');
  });

  it('does not depend on the order of keys', () => {
    fc.assert(fc.property(json, (value) => canonicalJson(reordered(value)) === canonicalJson(value)));
  });

  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses what JSON does not have', () => {
    expect(() => canonicalJson({ a: 1n })).toThrow('no canonical JSON for bigint');
    expect(() => canonicalJson(() => 1)).toThrow('no canonical JSON for function');
  });
});

describe('contentHash', () => {
  it('is the sha256 of the canonical text', () => {
    // printf '{}' | sha256sum
    expect(contentHash({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
    expect(contentHash({ a: 1, b: 2 })).toBe(contentHash({ b: 2, a: 1 }));
    expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: 2 }));
  });
});
