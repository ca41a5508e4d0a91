import { parseIp, type Ip } from '#libs/model';
import { sketchNamespace, type NamespaceSketch } from '../../../test/fixtures/namespace-sketch.js';
import { AddressClasses } from './address-classes.js';

function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`"${text}" is no address`);
  return parsed;
}

/** A node with pods of 10.244.1.0/24 behind a bridge and those of 10.244.2.0/24 behind a gateway. */
function tellsApart(sketch: NamespaceSketch, one: string, other: string): boolean {
  const ns = sketchNamespace({
    links: [
      { name: 'eth0', addresses: ['172.16.0.1/24'] },
      { name: 'cni0', addresses: ['10.244.1.1/24'] },
    ],
    routes: [{ dst: '10.244.2.0/24', gateway: '172.16.0.2', dev: 'eth0' }],
    nft: '{"nftables": []}',
    ...sketch,
  });
  const classes = new AddressClasses(ns, (asked) => asked !== ip('10.96.0.10'));
  return classes.of(ip(one)) !== classes.of(ip(other));
}

const filter = (...rules: readonly string[]): string =>
  ['*filter', ':FORWARD ACCEPT [0:0]', ':OTHER - [0:0]', ...rules, 'COMMIT', ''].join('\n');

describe('AddressClasses', () => {
  const A = '10.244.2.8';
  const B = '10.244.2.9';

  it.each([
    { what: 'no rule', sketch: {}, apart: false },
    { what: 'an address', sketch: { iptables: filter(`-A FORWARD -s ${A}/32 -j DROP`) }, apart: true },
    {
      what: 'a prefix with one of them',
      sketch: { iptables: filter('-A FORWARD -d 10.244.2.8/32 -j DROP') },
      apart: true,
    },
    { what: 'a prefix with both', sketch: { iptables: filter('-A FORWARD -d 10.244.2.8/31 -j DROP') }, apart: false },
    {
      what: 'a range',
      sketch: { iptables: filter(`-A FORWARD -m iprange --src-range ${A}-${A} -j DROP`) },
      apart: true,
    },
    {
      what: 'a set with one of them',
      sketch: {
        iptables: filter('-A FORWARD -m set --match-set S src -j DROP'),
        ipsets: `create S hash:ip family inet hashsize 1024 maxelem 65536\nadd S ${A}\n`,
      },
      apart: true,
    },
    {
      what: 'a set with both',
      sketch: {
        iptables: filter('-A FORWARD -m set --match-set S src -j DROP'),
        ipsets: `create S hash:ip family inet hashsize 1024 maxelem 65536\nadd S ${A}\nadd S ${B}\n`,
      },
      apart: false,
    },
    {
      what: 'a set that is not there',
      sketch: { iptables: filter('-A FORWARD -m set --match-set S src -j DROP') },
      apart: true,
    },
    {
      what: 'a rule behind a rule for an address that nobody asks for',
      sketch: { iptables: filter('-A FORWARD -d 10.96.0.10/32 -j OTHER', `-A OTHER -s ${A}/32 -j DROP`) },
      apart: false,
    },
    {
      what: 'a MAC address',
      sketch: { iptables: filter('-A FORWARD -m mac --mac-source 02:00:00:00:00:01 -j DROP') },
      apart: true,
    },
    {
      what: 'a set of MAC addresses',
      sketch: {
        iptables: filter('-A FORWARD -m set --match-set M src -j DROP'),
        ipsets: 'create M hash:mac hashsize 1024 maxelem 65536\nadd M 02:00:00:00:00:01\n',
      },
      apart: true,
    },
    { what: 'a route', sketch: { routes: [{ dst: A, gateway: '172.16.0.3', dev: 'eth0' }] }, apart: true },
    {
      what: 'a policy rule',
      sketch: {
        rules: [
          { priority: 0, src: 'all', table: 'local' },
          { priority: 100, src: A, table: '100' },
          { priority: 32766, src: 'all', table: 'main' },
        ],
      },
      apart: true,
    },
    { what: 'rules that were not collected', sketch: { without: ['nft.json'] }, apart: true },
  ])('$what tells two addresses apart: $apart', ({ sketch, apart }) => {
    const result = tellsApart(sketch, A, B);

    expect(result).toBe(apart);
  });

  it('tells its own addresses from all others', () => {
    expect(tellsApart({}, '10.244.1.1', '10.244.1.2')).toBe(true);
    expect(tellsApart({}, '10.244.1.3', '10.244.1.2')).toBe(false);
  });
});
