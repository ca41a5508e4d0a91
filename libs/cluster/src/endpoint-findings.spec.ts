import { parseEndpointRef, type KubernetesObject } from '#libs/model';
import { ip } from '../../../test/fixtures/packets.js';
import { nodeObject, podObject, sketchSnapshot } from '../../../test/fixtures/snapshot-sketch.js';
import { ClusterIndex } from './cluster-index.js';
import { endpointFindings, unknownAddress } from './endpoint-findings.js';
import { resolveEndpoint } from './resolve.js';

const NODE = nodeObject('node1', '10.10.0.11', '10.244.1.0/24');

function pod(
  name: string,
  more: Readonly<Record<string, unknown>> = {},
  meta: Readonly<Record<string, unknown>> = {},
): KubernetesObject {
  const made = podObject(name, 'node1', ['10.244.1.2']);
  return {
    ...made,
    metadata: { ...made.metadata, ...meta },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.244.1.2' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...more,
    },
  };
}

function codes(
  objects: readonly KubernetesObject[],
  ref: string,
  role: 'source' | 'destination' = 'destination',
): string[] {
  const index = new ClusterIndex(sketchSnapshot([NODE, ...objects]));
  const resolved = resolveEndpoint(index, () => undefined, parseEndpointRef(ref));
  return endpointFindings(index, resolved, role).map(({ code }) => code);
}

describe('endpointFindings', () => {
  const notReady = { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] };

  it.each([
    { title: 'a healthy pod', objects: [pod('web')], codes: [] },
    {
      title: 'a pod that waits',
      objects: [pod('web', { phase: 'Pending', podIPs: [] })],
      codes: ['POD_NOT_RUNNING', 'POD_NO_IP'],
    },
    {
      title: 'a pod that ends',
      objects: [pod('web', {}, { deletionTimestamp: '2026-11-24T00:00:00Z' })],
      codes: ['POD_TERMINATING'],
    },
    { title: 'a pod that is not ready', objects: [pod('web', notReady)], codes: ['POD_NOT_READY'] },
    { title: 'a pod that is over', objects: [pod('web', { phase: 'Succeeded' })], codes: ['POD_NOT_RUNNING'] },
    {
      title: 'a pod that is over and whose address another one has',
      objects: [pod('web', { phase: 'Succeeded' }), pod('heir')],
      codes: ['POD_NOT_RUNNING', 'IP_AMBIGUOUS'],
    },
  ])('$title', ({ objects, codes: expected }) => {
    expect(codes(objects, 'pod/default/web')).toEqual(expected);
  });

  it('lets a source be not ready', () => {
    expect(codes([pod('web', notReady)], 'pod/default/web', 'source')).toEqual([]);
  });

  it('names two running pods with one address, and not one that is over', () => {
    expect(codes([pod('web'), pod('twin')], '10.244.1.2')).toEqual(['IP_AMBIGUOUS']);
    expect(codes([pod('web'), pod('job', { phase: 'Succeeded' })], '10.244.1.2')).toEqual([]);
  });

  it('says that the node of a pod is not ready, and why', () => {
    const lost = {
      ...nodeObject('node2', '10.10.0.12', '10.244.2.0/24'),
      status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] },
    };
    const index = new ClusterIndex(sketchSnapshot([lost, { ...pod('web'), spec: { nodeName: 'node2' } }]));
    const [found] = endpointFindings(
      index,
      resolveEndpoint(index, () => undefined, parseEndpointRef('pod/default/web')),
      'source',
    );

    expect(found).toMatchObject({ code: 'NODE_NOT_READY', details: { reason: 'NodeStatusUnknown' } });
  });
});

describe('unknownAddress', () => {
  const index = new ClusterIndex(
    sketchSnapshot([NODE, pod('web'), podObject('job', 'node1', ['10.244.1.9'], { phase: 'Failed' })]),
  );
  const owned = ip('10.244.1.1');

  it.each([
    { address: '10.244.1.7', says: 'in the pod network 10.244.1.0/24 of node node1, of no pod' },
    { address: '10.244.1.9', says: 'it was of pod default/job (Failed)' },
    { address: '10.244.1.2', says: undefined },
    { address: '10.244.1.1', says: undefined },
    { address: '10.10.0.11', says: undefined },
    { address: '8.8.8.8', says: undefined },
  ])('$address: $says', ({ address, says }) => {
    expect(unknownAddress(index, ip(address), (one) => one === owned)?.evidence[0]?.text).toBe(says);
  });

  it('says nothing where objects were not collected', () => {
    expect(unknownAddress(new ClusterIndex(sketchSnapshot(undefined)), ip('10.244.1.7'), () => false)).toBeUndefined();
  });
});
