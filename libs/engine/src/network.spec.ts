import { HopscopeError, parsePair, suspect, type Diagnosis, type Packet } from '#libs/model';
import type { InfraAnswer, InfraShim, Network } from '#libs/provider-kit';
import { sketchDump, type NamespaceSketch } from '../../../test/fixtures/namespace-sketch.js';
import { PLAIN } from '../../../test/fixtures/plain-plugin.js';
import { nodeObject, podObject, serviceObject, sketchSnapshot } from '../../../test/fixtures/snapshot-sketch.js';
import { composeNetwork } from './network.js';

/** An InfraShim that a spec answers for, and that remembers what it was asked. */
class SpecShim implements InfraShim {
  readonly asked: Packet[] = [];

  constructor(private readonly answer: (packet: Packet) => InfraAnswer) {}

  nodeToNode(_source: unknown, _oif: string, _destination: unknown, packet: Packet): Promise<InfraAnswer> {
    return this.reply(packet);
  }

  nodeToExternal(_source: unknown, _oif: string, packet: Packet): Promise<InfraAnswer> {
    return this.reply(packet);
  }

  private async reply(packet: Packet): Promise<InfraAnswer> {
    this.asked.push(packet);
    return Promise.resolve(this.answer(packet));
  }
}

const says = (delivery: InfraAnswer['delivery'], more: Partial<InfraAnswer> = {}): InfraAnswer => ({
  delivery,
  suspicions: [],
  steps: [],
  skipped: [],
  ...more,
});
const UNKNOWN = says({ kind: 'unknown' });
const knowsNothing = (): SpecShim => new SpecShim(() => UNKNOWN);

/** Both ends of node1 -> node2 as the shim of a healthy network would have them. */
const delivers = (): SpecShim =>
  new SpecShim((packet) => says({ kind: 'node', name: packet.dst === '10.10.0.12' ? 'node2' : 'node1' }));

const SOCKETS = 'tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n';
const host = (name: string, address: string, more: NamespaceSketch = {}) =>
  sketchDump({
    name,
    links: [{ name: 'eth0', addresses: [`${address}/24`] }],
    routes: [{ dst: 'default', gateway: '10.10.0.1', dev: 'eth0' }],
    sockets: SOCKETS,
    ...more,
  });

const OBJECTS = [
  nodeObject('node1', '10.10.0.11', '10.244.1.0/24'),
  nodeObject('node2', '10.10.0.12', '10.244.2.0/24'),
  nodeObject('node3', '10.10.0.13', '10.244.3.0/24'),
  podObject('pending', 'node1', [], { phase: 'Pending' }),
  podObject('undumped', 'node1', ['10.244.1.9']),
  serviceObject('web', ['10.96.0.10']),
  serviceObject('headless', ['None']),
];

function network(shim: InfraShim, node2: NamespaceSketch = {}, networkPlugin?: string): Network {
  const snapshot = sketchSnapshot(OBJECTS, [host('node1', '10.10.0.11'), host('node2', '10.10.0.12', node2)]);
  return composeNetwork({ snapshot, cniPlugins: [PLAIN], shim, overrides: { networkPlugin } });
}

const ask = (one: Network, source: string, destination: string, port: number | string = 80): Promise<Diagnosis> =>
  one.diagnose(parsePair({ source, destination, port }));
const codes = (list: readonly { code: string }[]): string[] => list.map(({ code }) => code);

describe('a question that cannot be walked', () => {
  it.each([
    { source: 'pod/default/gone', destination: 'node/node2', port: 80, code: 'SRC_NOT_FOUND' },
    { source: 'node/node1', destination: 'pod/default/gone', port: 80, code: 'DST_NOT_FOUND' },
    { source: 'service/default/web', destination: 'node/node2', port: 80, code: 'SRC_NOT_FOUND' },
    { source: 'node/node1', destination: 'pod/default/pending', port: 80, code: 'POD_NO_IP' },
    { source: 'node/node1', destination: 'service/default/headless', port: 80, code: 'HEADLESS_SERVICE' },
    { source: 'node/node1', destination: 'service/default/web', port: 'https', code: 'NAMED_PORT_UNRESOLVED' },
    { source: 'node/node1', destination: 'node/node2', port: 'http', code: 'NAMED_PORT_UNRESOLVED' },
    { source: 'node/node3', destination: 'node/node2', port: 80, code: 'NODE_NOT_COLLECTED' },
    { source: 'pod/default/undumped', destination: 'node/node2', port: 80, code: 'NETNS_NOT_COLLECTED' },
  ])('$source -> $destination port $port is undetermined: $code', async ({ source, destination, port, code }) => {
    const { verdict, symptom, suspicions, branches } = await ask(network(delivers()), source, destination, port);

    expect([verdict, symptom]).toEqual(['undetermined', 'unknown']);
    expect(codes(suspicions)).toContain(code);
    expect(branches).toEqual([expect.objectContaining({ probability: 1, disposition: 'insufficient-info' })]);
  });
});

describe('an address that nobody has', () => {
  const lost = (): SpecShim => new SpecShim(() => says({ kind: 'lost' }));

  it('on the own segment is asked for in vain: the client sees unreachable', async () => {
    const { symptom, blocking } = await ask(network(lost()), 'node/node1', '10.10.0.99');

    expect(symptom).toBe('unreachable');
    expect(codes(blocking)).toEqual(['NEIGH_FAILED']);
  });

  it('of the pod network is the cause of what the packet meets', async () => {
    const { symptom, blocking } = await ask(network(lost()), 'node/node1', '10.244.2.77');

    expect(symptom).toBe('timeout');
    expect(codes(blocking)).toEqual(['ADDRESS_UNKNOWN', 'CLOUD_NO_ROUTE']);
    expect(blocking[1]?.because).toBe(blocking[0]?.fingerprint);
  });
});

describe('what the objects say against an end', () => {
  it('stands beside the answer', async () => {
    const agent = podObject('agent', 'node2', ['10.10.0.12'], { hostNetwork: true });
    const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }];
    const status = { phase: 'Running', podIPs: [{ ip: '10.10.0.12' }], conditions };
    const objects = [
      nodeObject('node1', '10.10.0.11', '10.244.1.0/24'),
      nodeObject('node2', '10.10.0.12', '10.244.2.0/24'),
      { ...agent, status },
    ];
    const snapshot = sketchSnapshot(objects, [host('node1', '10.10.0.11'), host('node2', '10.10.0.12')]);
    const one = composeNetwork({ snapshot, cniPlugins: [PLAIN], shim: delivers(), overrides: {} });

    const { verdict, suspicions } = await ask(one, 'node/node1', 'pod/default/agent');

    expect(verdict).toBe('reachable');
    expect(suspicions).toContainEqual(expect.objectContaining({ code: 'POD_NOT_READY', blocking: false }));
  });
});

describe('the InfraShim', () => {
  it('is asked once for each crossing, with the packet as it is on the wire', async () => {
    const shim = delivers();
    const one = network(shim);

    const first = await ask(one, 'node/node1', 'node/node2');
    const again = await ask(one, 'node/node1', 'node/node2');

    expect(first.verdict).toBe('reachable');
    expect(again).toEqual(first);
    const questions = shim.asked.map((packet) => JSON.stringify(packet));
    expect(questions.length).toBeGreaterThan(1);
    expect(new Set(questions).size).toBe(questions.length);
    expect(shim.asked[0]).toMatchObject({ src: '10.10.0.11', dst: '10.10.0.12', destinationPort: 80, flags: 'SYN' });
  });

  it('stops the packet with its own finding', async () => {
    const denied = suspect({
      code: 'SECURITY_GROUP_DENY',
      subject: { kind: 'node', name: 'node2' },
      evidence: [
        { kind: 'object', at: { kind: 'node', name: 'node2' }, locator: 'sg-1/ingress/3', text: 'deny tcp 80' },
      ],
      blocking: true,
    });
    const shim = new SpecShim(() => says({ kind: 'lost' }, { suspicions: [denied] }));

    const { verdict, symptom, blocking, branches } = await ask(network(shim), 'node/node1', 'node/node2');

    expect([verdict, symptom]).toEqual(['unreachable', 'timeout']);
    expect(blocking[0]).toEqual(denied);
    expect(branches[0]?.disposition).toBe('infra-denied');
  });

  it('that knows nothing leaves a note for each crossing, and the packet arrives', async () => {
    const { verdict, skipped } = await ask(network(knowsNothing()), 'node/node1', 'node/node2');

    expect(verdict).toBe('reachable');
    expect(codes(skipped)).toContain('INFRA_NOT_CHECKED');
  });

  it.each([
    {
      error: new HopscopeError('CLOUD_THROTTLED', 'the cloud is busy: try again'),
      reason: 'nodeToNode: the cloud is busy: try again',
    },
    { error: new Error('secret=abc'), reason: 'nodeToNode: the look-up failed' },
  ])('that fails is no finding, and nothing of an unknown error is shown: $reason', async ({ error, reason }) => {
    const shim = new SpecShim(() => {
      throw error;
    });

    const { verdict, skipped } = await ask(network(shim), 'node/node1', 'node/node2');

    expect(verdict).toBe('reachable');
    expect(skipped).toContainEqual(expect.objectContaining({ code: 'INFRA_LOOKUP_FAILED', reason }));
    expect(JSON.stringify(skipped)).not.toContain('secret');
  });

  it('may answer without waiting', async () => {
    const shim: InfraShim = {
      ...methodsThatMustNotBeCalled(),
      evaluate: ({ packet }) => says({ kind: 'node', name: packet.dst === '10.10.0.12' ? 'node2' : 'node1' }),
    };

    expect((await ask(network(shim), 'node/node1', 'node/node2')).verdict).toBe('reachable');
  });
});

function methodsThatMustNotBeCalled(): InfraShim {
  const refuse = (): Promise<InfraAnswer> => Promise.reject(new Error('asked though evaluate() had answered'));
  return { nodeToNode: refuse, nodeToExternal: refuse };
}

describe('what was not collected', () => {
  it.each([
    { without: ['ss-listen.txt'], verdict: 'undetermined' },
    { without: ['iptables-nft-save.txt'], verdict: 'undetermined' },
    { without: ['ip6-route.json', 'ip6tables-nft-save.txt', 'ipset-save.txt'], verdict: 'reachable' },
  ])('on the way makes the answer $verdict: $without', async ({ without, verdict }) => {
    const diagnosis = await ask(network(delivers(), { without }), 'node/node1', 'node/node2');

    expect(diagnosis.verdict).toBe(verdict);
    const reasons = diagnosis.skipped.map(({ reason }) => reason).join('\n');
    if (verdict === 'undetermined') expect(reasons).toContain(without[0]);
  });

  it('decides over what lies behind it: rules that nobody read may send the packet elsewhere', async () => {
    const sketch = { without: ['iptables-legacy-save.txt'], sockets: '' };

    const { verdict, blocking } = await ask(network(delivers(), sketch), 'node/node1', 'node/node2');

    expect(verdict).toBe('undetermined');
    expect(blocking).toEqual([]);
  });
});

describe('composeNetwork', () => {
  it('refuses a network plugin that it does not know, and names those that it does', () => {
    expect(() => network(delivers(), {}, 'calico')).toThrow('network plugin "calico" is not known; there are: plain');
  });

  it('answers many in the order given, and stops when told to', async () => {
    const one = network(delivers());
    const requests = [8, 80].map((port) => parsePair({ source: 'node/node1', destination: 'node/node2', port }));

    const ports: number[] = [];
    for await (const { port } of one.diagnoseMany(requests)) ports.push(port);

    expect(ports).toEqual([8, 80]);
    const stopped = AbortSignal.abort(new Error('enough'));
    const [request] = requests;
    if (request === undefined) throw new Error('there are two');
    await expect(one.diagnose(request, stopped)).rejects.toThrow('enough');
  });
});
