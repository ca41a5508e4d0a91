import { formatIp } from '#libs/model';
import { NotingChooser } from '../../../../test/fixtures/choices.js';
import { sketchNamespace } from '../../../../test/fixtures/namespace-sketch.js';
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
