import { parseCidr, parseIp } from '#libs/model';
import { BitSet } from './bit-set.js';
import { CidrSet } from './cidr-set.js';

const set = new CidrSet(
  ['10.0.0.0/8', '192.0.2.7/32', '0.0.0.0/32', 'fd00::/16', '2001:db8::1'].flatMap((text) => parseCidr(text) ?? []),
);

describe('CidrSet', () => {
  it.each([
    { ip: '10.255.0.1', contained: true },
    { ip: '11.0.0.1', contained: false },
    { ip: '192.0.2.7', contained: true },
    { ip: '192.0.2.8', contained: false },
    { ip: '0.0.0.0', contained: true },
    { ip: '255.255.255.255', contained: false },
    { ip: 'fd00:1::1', contained: true },
    { ip: 'fe80::1', contained: false },
    { ip: '2001:db8::1', contained: true },
  ])('$ip: $contained', ({ ip, contained }) => {
    const parsed = parseIp(ip);

    expect(parsed === undefined ? undefined : set.contains(parsed)).toBe(contained);
  });

  it('knows a default route', () => {
    const all = new CidrSet(['0.0.0.0/0'].flatMap((text) => parseCidr(text) ?? []));
    const [v4, v6] = ['255.1.2.3', '::1'].map(parseIp);

    expect(v4 !== undefined && all.contains(v4)).toBe(true);
    expect(v6 !== undefined && all.contains(v6)).toBe(false);
    expect(v6 !== undefined && all.lacksFamilyOf(v6)).toBe(true);
  });
});

describe('BitSet', () => {
  it('holds what it was given, at the edges of its words too', () => {
    const members = [0, 1, 31, 32, 63, 64, 99];
    const bits = BitSet.of(100, members);

    expect([...bits]).toEqual(members);
    expect(members.every((member) => bits.has(member))).toBe(true);
    expect([2, 30, 33, 98, 100, 1000].some((member) => bits.has(member))).toBe(false);
    expect([...bits.minus(BitSet.of(100, [31, 64]))]).toEqual([0, 1, 32, 63, 99]);
    expect([...bits.and(BitSet.of(100, [31, 65]))]).toEqual([31]);
    expect([...bits.or(BitSet.of(100, [65]))]).toEqual([0, 1, 31, 32, 63, 64, 65, 99]);
    expect(BitSet.empty(100).isEmpty() && !bits.isEmpty()).toBe(true);
  });
});
