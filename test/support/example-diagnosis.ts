import { suspect, type Diagnosis, type Evidence, type Packet, type PacketPath } from '#libs/model';

// What the specs of the renderers draw: one request that a rule of the second node drops, with names that try to break out.

const CLIENT = { kind: 'pod', namespace: 'default', name: 'a', node: 'n1' };
const NODE = { kind: 'node', name: '"n" <b>' };
const packet: Packet = {
  src: '10.0.0.1',
  sourcePort: 45678,
  dst: '10.0.0.2',
  destinationPort: 80,
  protocol: 'tcp',
  flags: 'SYN',
};
const rule: Evidence = { kind: 'rule', at: NODE, locator: 'filter/FORWARD/1', text: '-A FORWARD -j DROP' };

/** The path alone: a request, a reply, and a link that only would be taken. */
export const EXAMPLE_PATH: PacketPath = {
  nodes: [
    { id: 'pod/default/a', kind: 'pod', namespace: 'default', name: 'a', actions: ['send'], suspicions: [] },
    { id: `node/${NODE.name}`, kind: 'node', name: NODE.name, actions: ['forward'], suspicions: ['FILTER_DROP'] },
  ],
  links: [
    {
      from: 'pod/default/a',
      to: `node/${NODE.name}`,
      type: 'veth',
      direction: 'forward',
      fromInterface: 'eth0',
      toInterface: 'veth1',
      packet,
    },
    { from: `node/${NODE.name}`, to: 'pod/default/a', type: 'veth', direction: 'reply', packet },
    { from: 'pod/default/a', to: `node/${NODE.name}`, type: 'infra', direction: 'forward', packet, hypothetical: true },
  ],
};

const drop = suspect({
  code: 'FILTER_DROP',
  subject: NODE,
  evidence: [rule],
  blocking: true,
  details: { command: 'iptables -t filter -D FORWARD -j DROP' },
});
const elsewhere = suspect({
  code: 'DROPS_HIGH',
  subject: { kind: 'node', name: 'n9', interface: 'eth0' },
  evidence: [{ kind: 'link', at: { kind: 'node', name: 'n9' }, locator: 'link/eth0', text: 'dropped 12' }],
  blocking: false,
  details: { count: 12 },
});

export const EXAMPLE_DIAGNOSIS: Diagnosis = {
  source: { kind: 'pod', namespace: 'default', name: 'a', ip: '10.0.0.1', ref: 'pod/default/a' },
  destination: { kind: 'external', ip: '10.0.0.2', ref: '10.0.0.2' },
  port: 80,
  protocol: 'tcp',
  verdict: 'unreachable',
  symptom: 'timeout',
  branches: [{ probability: 1, symptom: 'timeout', disposition: 'denied', at: NODE, sourceSeen: null }],
  blocking: [drop],
  suspicions: [drop, elsewhere],
  skipped: [
    { code: 'INFRA_NOT_CHECKED', reason: 'nothing is known of the network', at: CLIENT },
    { code: 'INFRA_NOT_CHECKED', reason: 'nothing is known of the network', at: NODE },
  ],
  assumptions: ['the network carries the packet'],
  forward: [
    {
      probability: 1,
      disposition: 'denied',
      hops: [
        { at: CLIENT, steps: [{ kind: 'transmit', text: 'out of eth0', interface: 'eth0' }] },
        {
          at: NODE,
          steps: [
            { kind: 'receive', text: 'in by veth1', interface: 'veth1' },
            {
              kind: 'translate',
              text: 'DNAT to 10.0.0.3:8080',
              before: packet,
              after: { ...packet, dst: '10.0.0.3', destinationPort: 8080 },
            },
            { kind: 'filter', text: 'dropped', evidence: rule },
            { kind: 'transmit', text: 'out of eth0', interface: 'eth0', hypothetical: true },
          ],
        },
        {
          at: { kind: 'pod', namespace: 'default', name: 'b' },
          hypothetical: true,
          steps: [{ kind: 'deliver', text: 'delivered to 10.0.0.3:8080' }],
        },
      ],
    },
  ],
  reply: [],
  path: EXAMPLE_PATH,
  engineVersion: '0',
};
