import { parseEndpointRef, type Ip } from '#libs/model';
import { sketchDump } from '../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../test/fixtures/packets.js';
import { nodeObject, podObject, serviceObject, sketchSnapshot } from '../../../test/fixtures/snapshot-sketch.js';
import { ClusterIndex } from './cluster-index.js';
import { resolveEndpoint, type Resolved } from './resolve.js';

const INDEX = new ClusterIndex(
  sketchSnapshot(
    [
      nodeObject('node1', '10.10.0.11', '10.244.1.0/24'),
      podObject('web-0', 'node1', ['10.244.1.2', 'fd00::2']),
      podObject('twin', 'node1', ['10.244.1.2']),
      podObject('proxy', 'node1', ['10.10.0.11'], { hostNetwork: true }),
      podObject('pending', 'node1', [], { phase: 'Pending' }),
      serviceObject('web', ['10.96.0.10', 'fd00:96::10']),
      serviceObject('headless', ['None']),
    ],
    [sketchDump({ name: 'node1' }), sketchDump({ name: 'bare' }), sketchDump({ kind: 'external', name: 'ext' })],
  ),
);
const ownerOf = (address: Ip): string | undefined =>
  new Map([
    [ip('203.0.113.10'), 'external/ext'],
    [ip('10.244.1.1'), 'node/node1'],
  ]).get(address);

const resolve = (text: string, family?: 4 | 6): Resolved =>
  resolveEndpoint(INDEX, ownerOf, parseEndpointRef(text), family);

describe('resolveEndpoint', () => {
  it.each([
    { ref: 'pod/default/web-0', kind: 'pod', ip: '10.244.1.2', key: 'pod/default/web-0' },
    { ref: 'fd00::2', kind: 'pod', ip: 'fd00::2', key: 'pod/default/web-0' },
    { ref: 'pod/default/proxy', kind: 'pod', ip: '10.10.0.11', key: 'node/node1' },
    { ref: 'node/node1', kind: 'node', ip: '10.10.0.11', key: 'node/node1' },
    { ref: '10.10.0.11', kind: 'node', ip: '10.10.0.11', key: 'node/node1' },
    { ref: '10.244.1.1', kind: 'node', ip: '10.244.1.1', key: 'node/node1' },
    { ref: 'service/default/web', kind: 'service', ip: '10.96.0.10', key: undefined },
    { ref: '10.96.0.10', kind: 'service', ip: '10.96.0.10', key: undefined },
    { ref: 'external/203.0.113.10', kind: 'external', ip: '203.0.113.10', key: 'external/ext' },
    { ref: '203.0.113.10', kind: 'external', ip: '203.0.113.10', key: 'external/ext' },
    { ref: '8.8.8.8', kind: 'external', ip: '8.8.8.8', key: undefined },
    { ref: 'external/8.8.8.8', kind: 'external', ip: '8.8.8.8', key: undefined },
    { ref: 'pod/default/pending', kind: 'pod', ip: null, key: 'pod/default/pending' },
    { ref: 'service/default/headless', kind: 'service', ip: null, key: undefined },
  ])('$ref is $kind $ip in $key', ({ ref, kind, ip: address, key }) => {
    const found = resolve(ref);

    expect(found.endpoint).toMatchObject({ kind, ip: address, ref });
    expect(found.namespaceKey).toBe(key);
    expect(found.missing).toBeUndefined();
  });

  it.each([
    { ref: 'pod/default/gone', missing: 'pod default/gone is not in the snapshot' },
    { ref: 'service/other/web', missing: 'service other/web is not in the snapshot' },
    { ref: 'node/node9', missing: 'node node9 is not in the snapshot' },
    { ref: 'node/bare', missing: 'node bare has no address in its status' },
  ])('$ref: $missing', ({ ref, missing }) => {
    expect(resolve(ref).missing).toBe(missing);
  });

  it('says when names cannot be looked up at all', () => {
    const blind = new ClusterIndex(sketchSnapshot(undefined));

    expect(resolveEndpoint(blind, () => undefined, parseEndpointRef('pod/default/web-0')).missing).toBe(
      'pod default/web-0 cannot be looked up: kubernetes.json was not collected',
    );
  });

  it.each([
    { ref: 'pod/default/web-0', family: 6 as const, ip: 'fd00::2' },
    { ref: 'service/default/web', family: 6 as const, ip: 'fd00:96::10' },
    { ref: 'pod/default/web-0', family: 4 as const, ip: '10.244.1.2' },
    { ref: 'node/node1', family: 6 as const, ip: '10.10.0.11' },
  ])('$ref takes the family of the other end: $family, $ip', ({ ref, family, ip: address }) => {
    expect(resolve(ref, family).endpoint.ip).toBe(address);
  });

  it('names who else claims an address', () => {
    expect(resolve('10.244.1.2').alsoClaimedBy).toEqual(['pod default/twin']);
    expect(resolve('10.10.0.11').alsoClaimedBy).toEqual([]);
  });
});
