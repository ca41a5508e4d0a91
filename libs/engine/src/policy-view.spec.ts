import { formatIp, parseIp, type Hop, type Ip, type Packet, type Step } from '#libs/model';
import { sourceAtDestination, targetAtSource } from './policy-view.js';

const ip = (text: string): Ip => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
};

/** `10.1.0.2 > 10.2.0.2:80`. */
function packet(text: string): Packet {
  const [src = '', to = ''] = text.split(' > ');
  const [dst = '', port] = to.split(':');
  return { src, dst, protocol: 'tcp', sourcePort: 40000, destinationPort: Number(port) };
}

const translates = (before: string, after: string, inner?: Packet): Step => ({
  kind: 'translate',
  text: 'translated',
  before: inner === undefined ? packet(before) : { ...packet(before), inner },
  after: packet(after),
});
const hop = (kind: string, name: string, ...steps: readonly Step[]): Hop => ({ at: { kind, name }, steps });

function exchange(...hops: readonly Hop[]) {
  return { forward: { hops, disposition: 'accepted' as const }, obstacles: [], arrival: undefined };
}

const ASKED = { ip: ip('10.10.0.12'), port: 30080 };
const SENDER = ip('10.1.0.2');
const DNAT = translates('10.1.0.2 > 10.10.0.12:30080', '10.1.0.2 > 10.2.0.2:8080');
const SNAT = translates('10.1.0.2 > 10.2.0.2:8080', '10.10.0.12 > 10.2.0.2:8080');

describe('what policies see of a packet', () => {
  it.each([
    {
      title: 'nobody translates',
      hops: [hop('pod', 'a'), hop('node', 'node1')],
      to: '10.10.0.12 30080',
      from: '10.1.0.2',
    },
    {
      title: 'its own node translates',
      hops: [hop('pod', 'a'), hop('node', 'node1', DNAT)],
      to: '10.2.0.2 8080',
      from: '10.1.0.2',
    },
    {
      title: 'another node translates and masquerades, to a third',
      hops: [hop('pod', 'a'), hop('node', 'node1'), hop('node', 'node2', DNAT, SNAT), hop('node', 'node3')],
      to: '10.10.0.12 30080',
      from: '10.10.0.12',
    },
    {
      title: 'the node of the destination masquerades, when its policies have been asked',
      hops: [hop('pod', 'a'), hop('node', 'node1'), hop('node', 'node2', DNAT, SNAT), hop('pod', 'b')],
      to: '10.10.0.12 30080',
      from: '10.1.0.2',
    },
    {
      title: 'a tunnel’s packet is translated, which is not theirs',
      hops: [
        hop(
          'node',
          'node1',
          translates('10.10.0.11 > 10.10.0.12:4789', '10.9.9.9 > 10.10.0.12:4789', packet('10.1.0.2 > 10.2.0.2:80')),
        ),
      ],
      to: '10.10.0.12 30080',
      from: '10.1.0.2',
    },
  ])('$title', ({ hops, to, from }) => {
    const target = targetAtSource(exchange(...hops), ASKED);

    expect(`${formatIp(target.ip)} ${target.port}`).toBe(to);
    expect(formatIp(sourceAtDestination(exchange(...hops), SENDER))).toBe(from);
  });
});
