import { parseCidr, type Cidr } from '#libs/model';
import { ip } from '../../../../test/fixtures/packets.js';
import { PrefixMap } from './prefix-map.js';

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`${text} in a spec is no prefix`);
  return parsed;
};

describe('PrefixMap', () => {
  const map = new PrefixMap([
    [cidr('10.244.0.0/16'), 'wide'],
    [cidr('10.244.1.0/24'), 'narrow'],
    [cidr('10.244.1.0/24'), 'second'],
    [cidr('fd00:1::/64'), 'six'],
    [cidr('0.0.0.0/0'), 'any'],
  ]);

  it.each([
    { address: '10.244.1.7', value: 'narrow' },
    { address: '10.244.2.7', value: 'wide' },
    { address: '192.0.2.1', value: 'any' },
    { address: 'fd00:1::7', value: 'six' },
    { address: 'fd00:2::7', value: undefined },
    // All bits are zero, as those of 0.0.0.0/0 are, but it is of the other family.
    { address: '::', value: undefined },
  ])('$address: $value', ({ address, value }) => {
    expect(map.lookup(ip(address))?.value).toBe(value);
  });
});
