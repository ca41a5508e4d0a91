import { ClusterIndex } from '#libs/cluster';
import { sketchNamespace } from '../../../../test/fixtures/namespace-sketch.js';
import { ip } from '../../../../test/fixtures/packets.js';
import { nodeObject, podObject, sketchSnapshot } from '../../../../test/fixtures/snapshot-sketch.js';
import { unknownCni } from './unknown.js';

const CLUSTER = new ClusterIndex(
  sketchSnapshot([
    nodeObject('node1', '10.10.0.11', '10.244.1.0/24'),
    nodeObject('node2', '10.10.0.12', '10.244.2.0/24'),
    podObject('web-1', 'node2', ['10.244.2.2']),
  ]),
);

describe('unknownCni', () => {
  const network = unknownCni.forCluster(CLUSTER);

  it('takes every cluster, and promises nothing that could be broken', () => {
    const bare = sketchNamespace({ name: 'node1' });

    expect(unknownCni.detect(CLUSTER).detected).toBe(true);
    expect(network.podRoutesInUnderlay).toBe(false);
    expect(network.routeFinding(bare, ip('10.244.2.2'))).toBeUndefined();
  });

  it.each([
    { from: 'node1', to: '10.244.2.2', hop: { kind: 'node', name: 'node2' } },
    { from: 'node2', to: '10.244.2.2', hop: { kind: 'pod', namespace: 'default', name: 'web-1' } },
    { from: 'node1', to: '10.244.2.77', hop: undefined },
  ])('believes the objects only: from $from to $to', ({ from, to, hop }) => {
    expect(network.intendedNextHop(from, ip(to))).toEqual(hop);
  });
});
