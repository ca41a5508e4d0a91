import type { PacketPath } from '../packet-path.js';
import { renderMermaid } from './mermaid.js';

const packet = { src: '10.0.0.1', dst: '10.0.0.2', protocol: 'tcp' as const };
const PATH: PacketPath = {
  nodes: [
    { id: 'pod/default/a', kind: 'pod', namespace: 'default', name: 'a', actions: ['send'], suspicions: [] },
    { id: 'node/"n"', kind: 'node', name: '"n"', actions: ['forward'], suspicions: ['FILTER_DROP'] },
  ],
  links: [
    {
      from: 'pod/default/a',
      to: 'node/"n"',
      type: 'veth',
      direction: 'forward',
      fromInterface: 'eth0',
      toInterface: 'veth1',
      packet,
    },
    { from: 'node/"n"', to: 'pod/default/a', type: 'veth', direction: 'reply', packet },
    { from: 'pod/default/a', to: 'node/"n"', type: 'infra', direction: 'forward', packet, hypothetical: true },
  ],
};

describe('renderMermaid', () => {
  it('draws requests solid, replies and what would happen dotted, and suspicions red; quotes cannot break out', () => {
    expect(renderMermaid(PATH)).toBe(
      [
        'flowchart LR',
        '  n0["pod default/a"]',
        '  n1["node #quot;n#quot;<br/>FILTER_DROP"]',
        '  n0 -->|"veth: eth0 to veth1"| n1',
        '  n1 -.->|"veth"| n0',
        '  n0 -.->|"infra"| n1',
        '  classDef bad stroke:#c00,stroke-width:2px',
        '  class n1 bad',
        '',
      ].join('\n'),
    );
  });
});
