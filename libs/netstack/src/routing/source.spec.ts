import { formatIp } from '#libs/model';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { sketchNamespace, type NamespaceSketch } from '../../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { lookupRoute } from './lookup.js';
import { routeSource, selectSource } from './source.js';

const NODE = sketchNamespace({
  links: [
    { name: 'eth0', addresses: ['10.10.0.11/24', '10.11.0.11/24', 'fd00:10::11/64'] },
    { name: 'cni0', addresses: ['10.244.1.1/24'] },
    { name: 'veth1' },
  ],
  routes: [
    { dst: 'default', gateway: '10.10.0.1', dev: 'eth0' },
    { dst: '10.50.0.0/16', gateway: '10.11.0.1', dev: 'eth0' },
    { dst: '10.60.0.0/16', gateway: '10.10.0.1', dev: 'eth0', prefsrc: '10.244.1.1' },
    { dst: '10.70.0.0/16', dev: 'veth1', scope: 'link' },
    // As `ip -j route` prints `via inet6`.
    { dst: '10.80.0.0/16', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth0' },
  ],
});

describe('selectSource', () => {
  it.each([
    { title: 'the address of the same subnet', dev: 'eth0', dst: '10.11.0.9', src: '10.11.0.11' },
    { title: 'else the first of the device', dev: 'eth0', dst: '8.8.8.8', src: '10.10.0.11' },
    { title: 'one of the family that is asked', dev: 'eth0', dst: 'fd00:10::99', src: 'fd00:10::11' },
    { title: 'one of another device when it has none', dev: 'veth1', dst: '8.8.8.8', src: '10.10.0.11' },
    { title: 'one of another device when the device is gone', dev: 'gone0', dst: '8.8.8.8', src: '10.10.0.11' },
  ])('takes $title', ({ dev, dst, src }) => {
    const found = selectSource(NODE, dev, ip(dst));

    expect(found === undefined ? undefined : formatIp(found)).toBe(src);
  });

  it('takes none when only loopback has addresses: their scope is the host', () => {
    const ns = sketchNamespace({ links: [{ name: 'eth0' }] });

    expect(selectSource(ns, 'eth0', ip('8.8.8.8'))).toBeUndefined();
  });
});

describe('routeSource', () => {
  it.each([
    { title: 'that of the route', dst: '10.60.1.1', src: '10.244.1.1' },
    { title: 'that of the gateway’s subnet', dst: '10.50.1.1', src: '10.11.0.11' },
    { title: 'that of the default gateway', dst: '8.8.8.8', src: '10.10.0.11' },
    { title: 'the destination itself for an own address', dst: '10.244.1.1', src: '10.244.1.1' },
    { title: 'the address of the connected network', dst: '10.244.1.7', src: '10.244.1.1' },
    { title: 'that of the device where the gateway is of IPv6', dst: '10.80.0.1', src: '10.10.0.11' },
    { title: 'a borrowed one for a device without any', dst: '10.70.0.1', src: '10.10.0.11' },
  ])('is $title', ({ dst, src }) => {
    const routing = NODE.routing(4);
    if (routing === undefined) throw new Error('the sketch has routes');
    const found = lookupRoute(
      routing,
      { dst: ip(dst), iif: 'lo', mark: 0, protocol: 6, sport: 0, dport: 0, tos: 0 },
      new NotingChooser(),
    );
    if (found.kind !== 'route') throw new Error(`no route to ${dst}`);

    const source = routeSource(NODE, found, ip(dst));

    expect(source === undefined ? undefined : formatIp(source)).toBe(src);
  });
});

describe('selectSource for IPv6', () => {
  const links: NamespaceSketch['links'] = [
    { name: 'eth0', addresses: ['fd00:10::11/64', '2001:db8:10::11/64', 'fe80::10/64'] },
    { name: 'eth1', addresses: ['fe80::20/64'] },
  ];

  // Rules of RFC 6724 §5, each asked of the kernel by test/differential.
  it.each([
    { rule: '1: the destination itself', dev: 'eth1', dst: 'fd00:10::11', src: 'fd00:10::11' },
    { rule: '2: wide enough, though of another device', dev: 'eth1', dst: '2001:db8::9', src: '2001:db8:10::11' },
    { rule: '6: the same label', dev: 'eth0', dst: 'fdff::1', src: 'fd00:10::11' },
    { rule: '6: the same label, not the longer prefix', dev: 'eth0', dst: '2a00::1', src: '2001:db8:10::11' },
    { rule: '4: of the link only for a destination on the link', dev: 'eth1', dst: 'fe80::99', src: 'fe80::20' },
    { rule: '6: of any device when there is none', dev: undefined, dst: 'fdff::1', src: 'fd00:10::11' },
  ])('follows rule $rule', ({ dev, dst, src }) => {
    const found = selectSource(sketchNamespace({ links }), dev, ip(dst));

    expect(found === undefined ? undefined : formatIp(found)).toBe(src);
  });

  it('takes ::1 when there is nothing else', () => {
    const found = selectSource(sketchNamespace({ links: [{ name: 'eth0' }] }), 'eth0', ip('2001:db8::9'));

    expect(found === undefined ? undefined : formatIp(found)).toBe('::1');
  });
});
