import { HopscopeError, type Packet } from '#libs/model';
import type { InfraAnswer } from '#libs/provider-kit';
import { UnderlayShim } from './underlay-shim.js';
import { parseUnderlay } from './underlay.js';

const NODE1 = { name: 'node1', addresses: ['10.10.0.11'] };
const NODE2 = { name: 'node2', addresses: ['10.10.0.12'] };
const packet = (src: string, dst: string): Packet => ({
  src,
  dst,
  protocol: 'tcp',
  sourcePort: 40000,
  destinationPort: 80,
});

describe('parseUnderlay', () => {
  it('has defaults for everything, and is not there when the snapshot has none', () => {
    expect(parseUnderlay({})).toEqual({ routes: [], snat: [], unknown: 'exits' });
    expect(parseUnderlay(undefined)).toBeUndefined();
  });

  it('names every problem at once', () => {
    const input = {
      routes: [{ destination: '10.0.0.0/33', via: '' }],
      snat: [{ source: '10.0.0.0/8', to: '10.0.0.0/8' }],
      unknown: 'x',
      more: 1,
    };

    let found: unknown;
    try {
      parseUnderlay(input);
    } catch (error) {
      found = error;
    }

    expect(found).toBeInstanceOf(HopscopeError);
    expect(found).toMatchObject({ code: 'UNDERLAY_INVALID' });
    expect(found instanceof HopscopeError ? found.problems.map(({ path }) => path) : []).toEqual([
      '/routes/0/destination',
      '/routes/0/via',
      '/snat/0/to',
      '/unknown',
      '/more',
    ]);
    expect(String(found)).toContain('underlay.json: /routes/0/destination: must be an address or a prefix');
  });
});

describe('UnderlayShim', () => {
  const shim = new UnderlayShim(
    parseUnderlay({
      routes: [
        { destination: '10.244.0.0/16', via: 'node1' },
        { destination: '10.244.2.0/24', via: 'node2' },
        { destination: '203.0.113.0/24', via: 'ext' },
      ],
      snat: [{ source: '10.10.0.0/24', to: '198.51.100.7' }],
      unknown: 'lost',
    }),
  );

  it.each([
    {
      title: 'the longest prefix',
      src: '10.244.1.2',
      dst: '10.244.2.2',
      answer: { delivery: { kind: 'node', name: 'node2' } },
    },
    {
      title: 'the shorter one',
      src: '10.244.1.2',
      dst: '10.244.3.2',
      answer: { delivery: { kind: 'node', name: 'node1' } },
    },
    {
      title: 'a destination that is not described',
      src: '10.244.1.2',
      dst: '8.8.8.8',
      answer: { delivery: { kind: 'lost' } },
    },
    {
      title: 'source NAT on the way out',
      src: '10.10.0.11',
      dst: '8.8.8.8',
      answer: { delivery: { kind: 'lost' }, translatedSource: '198.51.100.7' },
    },
  ])('$title', async ({ src, dst, answer }) => {
    const said = await shim.nodeToExternal(NODE1, 'eth0', packet(src, dst));

    expect(said).toMatchObject({ suspicions: [], skipped: [], ...answer });
  });

  it('does not translate what it routes to a node', async () => {
    const said = await shim.nodeToExternal(NODE1, 'eth0', packet('10.10.0.11', '10.244.2.2'));

    expect(said.translatedSource).toBeUndefined();
    expect(said.steps).toEqual([{ kind: 'infra', text: 'the network outside routes 10.244.2.2 via node2' }]);
  });

  it('lets packets between nodes arrive', async () => {
    expect((await shim.nodeToNode(NODE1, 'eth0', NODE2, packet('10.10.0.11', '10.10.0.12'))).delivery).toEqual({
      kind: 'node',
      name: 'node2',
    });
  });

  it('knows nothing without a description, and says so', async () => {
    const blind = new UnderlayShim(undefined);
    const one = packet('10.10.0.11', '10.10.0.12');
    const service = { namespace: 'default', name: 'web' };

    const answers: InfraAnswer[] = await Promise.all([
      blind.nodeToNode(NODE1, 'eth0', NODE2, one),
      blind.nodeToExternal(NODE1, 'eth0', one),
      blind.externalToNode(NODE2, one),
      blind.externalToLoadBalancer(service, one, []),
    ]);

    expect(answers.map(({ delivery }) => delivery.kind)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });
});
