import { formatCidr } from '#libs/model';
import { ip } from '../../../../test/fixtures/packets.js';
import { parseRoutes } from './routes.js';

const parse = (row: Record<string, unknown>, family: 4 | 6 = 4) =>
  parseRoutes('ip-route.json', JSON.stringify([row]), family)[0];

describe('parseRoutes', () => {
  it.each([
    {
      title: 'a plain route',
      row: { dst: '10.0.0.0/8', gateway: '192.168.0.1', dev: 'eth0', protocol: 'static', metric: 20 },
      text: '10.0.0.0/8 via 192.168.0.1 dev eth0 proto static metric 20',
    },
    {
      title: 'the default route of IPv4',
      row: { dst: 'default', gateway: '10.10.0.1', dev: 'eth0', flags: [] },
      text: 'default via 10.10.0.1 dev eth0',
    },
    {
      title: 'a connected route with scope and source',
      row: { dst: '10.244.1.0/24', dev: 'cni0', protocol: 'kernel', scope: 'link', prefsrc: '10.244.1.1' },
      text: '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1',
    },
    {
      title: 'an onlink route',
      row: { dst: '10.244.2.0/24', gateway: '10.244.2.0', dev: 'flannel.1', flags: ['onlink'] },
      text: '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    },
    { title: 'a blackhole', row: { type: 'blackhole', dst: '10.1.0.0/16' }, text: 'blackhole 10.1.0.0/16' },
    {
      title: 'another table',
      row: { dst: '10.0.0.0/8', dev: 'eth0', table: 100 },
      text: '10.0.0.0/8 dev eth0 table 100',
    },
    {
      title: 'several next hops',
      row: {
        dst: '10.9.0.0/16',
        nexthops: [
          { gateway: '10.0.0.1', dev: 'eth0', weight: 3 },
          { gateway: '10.0.0.2', dev: 'eth1' },
        ],
      },
      text: '10.9.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 3 nexthop via 10.0.0.2 dev eth1 weight 1',
    },
    {
      title: 'a gateway of the other family',
      row: { dst: '10.8.0.0/16', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth0' },
      text: '10.8.0.0/16 via inet6 fe80::1 dev eth0',
    },
  ])('prints $title as ip route does', ({ row, text }) => {
    expect(parse(row)?.text).toBe(text);
  });

  it('reads next hops with weight, gateway and the states that make them unusable', () => {
    const route = parse({
      dst: '10.9.0.0/16',
      nexthops: [
        { gateway: '10.0.0.1', dev: 'eth0', weight: 3, flags: ['dead', 'linkdown'] },
        { via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth1', flags: ['onlink'] },
      ],
    });

    expect(route?.nextHops).toEqual([
      { dev: 'eth0', gateway: ip('10.0.0.1'), weight: 3, dead: true, linkdown: true, onlink: false },
      { dev: 'eth1', gateway: ip('fe80::1'), weight: 1, dead: false, linkdown: false, onlink: true },
    ]);
  });

  it.each([
    {
      field: 'type',
      row: { dst: '10.0.0.1', type: 'local', table: 'local' },
      value: { type: 'local', table: 'local' },
    },
    { field: 'tos as hex text', row: { dst: '10.0.0.0/8', tos: '0x10', dev: 'eth0' }, value: { tos: 16 } },
    { field: 'mtu', row: { dst: '10.0.0.0/8', dev: 'eth0', metrics: [{ mtu: 1400 }] }, value: { mtu: 1400 } },
    { field: 'scope as a number', row: { dst: '10.0.0.0/8', dev: 'eth0', scope: 'link' }, value: { scope: 253 } },
    {
      field: 'no table',
      row: { dst: '10.0.0.0/8', dev: 'eth0' },
      value: { table: 'main', metric: 0, tos: 0, scope: 0 },
    },
    { field: 'no next hop', row: { dst: '10.0.0.0/8', type: 'prohibit' }, value: { nextHops: [] } },
  ])('reads $field', ({ row, value }) => {
    expect(parse(row)).toMatchObject(value);
  });

  it('takes the default route of each family for everything of it', () => {
    const four = parse({ dst: 'default', dev: 'eth0' });
    const six = parse({ dst: 'default', dev: 'eth0' }, 6);

    expect([four, six].map((route) => (route === undefined ? undefined : formatCidr(route.dst)))).toEqual([
      '0.0.0.0/0',
      '::/0',
    ]);
  });

  it.each([
    { title: 'no JSON', text: '[{"dst":', error: /^ip-route\.json: / },
    { title: 'no list', text: '{"dst":"default"}', error: /^ip-route\.json: \// },
    { title: 'a row without dst', text: '[{"dst":"default"},{"dev":"eth0"}]', error: /^ip-route\.json: \/1\/dst: / },
  ])('names the file and place of $title', ({ text, error }) => {
    expect(() => parseRoutes('ip-route.json', text, 4)).toThrow(error);
  });

  it('reads an empty file as no routes: iproute2 prints nothing for no rows', () => {
    expect(parseRoutes('ip-route.json', '\n', 4)).toEqual([]);
  });
});
