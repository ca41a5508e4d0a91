import { isIP, isIPv6 } from 'node:net';
import * as fc from 'fast-check';
import {
  cidrContains,
  formatCidr,
  formatIp,
  formatSocket,
  ipv4,
  ipv6,
  maskIp,
  parseCidr,
  parseIp,
  type Ip,
} from './ip.js';

const anyIpv4 = fc.integer({ min: 0, max: 0xffffffff }).map((value): Ip => ipv4(value));
// Zero groups are common in addresses and are what RFC 5952 is about.
const group = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn }));
const anyIpv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups): Ip => ipv6(groups.reduce((value, one) => (value << 16n) | one, 0n)));
const anyIp = fc.oneof(anyIpv4, anyIpv6);

describe('parseIp', () => {
  it.each([
    { text: '0.0.0.0', printed: '0.0.0.0' },
    { text: '255.255.255.255', printed: '255.255.255.255' },
    { text: '10.0.0.1', printed: '10.0.0.1' },
    { text: '::', printed: '::' },
    { text: '::1', printed: '::1' },
    { text: '1::', printed: '1::' },
    { text: 'FD00:0:0:0:0:0:0:1', printed: 'fd00::1' },
    { text: '2001:0db8:0000:0000:0001:0000:0000:0001', printed: '2001:db8::1:0:0:1' },
    { text: '2001:db8:0:1:1:1:1:1', printed: '2001:db8:0:1:1:1:1:1' },
    { text: '1:0:0:2:0:0:0:3', printed: '1:0:0:2::3' },
    { text: '::ffff:10.0.0.1', printed: '::ffff:a00:1' },
    { text: '64:ff9b::192.0.2.33', printed: '64:ff9b::c000:221' },
    { text: 'fe80:0:0:0:1:2:3:4', printed: 'fe80::1:2:3:4' },
  ])('$text is $printed', ({ text, printed }) => {
    const ip = parseIp(text);

    expect(ip === undefined ? undefined : formatIp(ip)).toBe(printed);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.256',
    '10.0.0.01',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.0.0.1 ',
    ' 10.0.0.1',
    '10.0.0.-1',
    '10..0.1',
    '.10.0.1',
    '10.0.0.',
    '1000.0.0.1',
    '١.0.0.1',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '::1%eth0',
    '[::1]',
    '::10.0.0.256',
    '::ffff:10.0.0.1:1',
  ])('refuses "%s"', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it('reads back what formatIp prints', () => {
    fc.assert(fc.property(anyIp, (ip) => parseIp(formatIp(ip)) === ip));
  });

  it('takes what node:net takes, and nothing else (but no zones)', () => {
    const almost = fc.oneof(
      anyIp.map(formatIp),
      fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', 'f', ':', '.', '::'), maxLength: 20 }),
      fc.ipV4(),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(almost, (text) => {
        // Dotted quads belong at the end only; parseIp takes "10.0.0.1::" too.
        fc.pre(!/\.[^:]*::/.test(text));

        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('formatIp', () => {
  it('prints IPv6 by RFC 5952: lower case, no leading zeros, the longest run of zeros shortened, the first of equals', () => {
    fc.assert(
      fc.property(anyIpv6, (ip) => {
        const text = formatIp(ip);

        expect(isIPv6(text)).toBe(true);
        expect(text).toBe(text.toLowerCase());
        expect(text).not.toMatch(/(^|:)0[0-9a-f]/);
        const [head = '', tail] = text.split('::');
        const written = [head, tail ?? ''].flatMap((half) => (half === '' ? [] : half.split(':')));
        const runs = longestZeroRun(written);
        const hidden = tail === undefined ? 0 : 8 - written.length;
        expect(hidden).not.toBe(1);
        expect(Math.max(hidden, 1)).toBeGreaterThanOrEqual(runs);
        const before = longestZeroRun(head === '' ? [] : head.split(':'));
        if (hidden > 0) expect(before).toBeLessThan(hidden);
      }),
    );
  });
});

function longestZeroRun(groups: readonly string[]): number {
  let longest = 0;
  let run = 0;
  for (const one of groups) {
    run = one === '0' ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

describe('parseCidr', () => {
  it.each([
    { text: '10.1.2.3/8', printed: '10.0.0.0/8' },
    { text: '10.1.2.3', printed: '10.1.2.3/32' },
    { text: '10.1.2.3/0', printed: '0.0.0.0/0' },
    { text: '10.1.2.3/32', printed: '10.1.2.3/32' },
    { text: '10.1.2.3/255.255.0.0', printed: '10.1.0.0/16' },
    { text: '10.1.2.3/0.0.0.0', printed: '0.0.0.0/0' },
    { text: '10.1.2.3/255.255.255.255', printed: '10.1.2.3/32' },
    { text: 'fd00::1/64', printed: 'fd00::/64' },
    { text: 'fd00::1', printed: 'fd00::1/128' },
    { text: '::/0', printed: '::/0' },
  ])('$text is $printed', ({ text, printed }) => {
    const cidr = parseCidr(text);

    expect(cidr === undefined ? undefined : formatCidr(cidr)).toBe(printed);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.255.0',
    'fd00::/129',
    '/8',
    'x/8',
    '10.0.0.0/1e1',
  ])('refuses "%s"', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it('reads back what formatCidr prints', () => {
    fc.assert(
      fc.property(anyIp, fc.integer({ min: 0, max: 128 }), (ip, wanted) => {
        const length = typeof ip === 'number' ? Math.min(wanted, 32) : wanted;
        const cidr = { net: maskIp(ip, length), length };

        expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
      }),
    );
  });
});

/** The bits of an address, most significant first. */
function bits(ip: Ip): string {
  return typeof ip === 'number' ? ip.toString(2).padStart(32, '0') : ip.toString(2).padStart(128, '0');
}

describe('cidrContains', () => {
  it('compares the first bits, as one would by hand', () => {
    const near = fc.tuple(anyIp, fc.integer({ min: 0, max: 127 })).map(([ip, bit]): [Ip, Ip] => {
      if (typeof ip === 'number') return [ip, ipv4(ip ^ (1 << (bit % 32)))];
      return [ip, ipv6(ip ^ (1n << BigInt(bit)))];
    });
    fc.assert(
      fc.property(near, fc.integer({ min: 0, max: 128 }), ([ip, other], wanted) => {
        const length = typeof ip === 'number' ? Math.min(wanted, 32) : wanted;
        const cidr = { net: maskIp(ip, length), length };

        expect(cidrContains(cidr, ip)).toBe(true);
        expect(cidrContains(cidr, other)).toBe(bits(ip).slice(0, length) === bits(other).slice(0, length));
      }),
    );
  });

  it('never contains an address of the other family', () => {
    fc.assert(
      fc.property(anyIpv4, anyIpv6, (four, six) => {
        expect(cidrContains({ net: ipv4(0), length: 0 }, six)).toBe(false);
        expect(cidrContains({ net: ipv6(0n), length: 0 }, four)).toBe(false);
      }),
    );
  });
});

describe('formatSocket', () => {
  it.each([
    { ip: '10.0.0.1', text: '10.0.0.1:80' },
    { ip: 'fd00::1', text: '[fd00::1]:80' },
  ])('$text', ({ ip, text }) => {
    expect(formatSocket(ip, 80)).toBe(text);
  });
});
