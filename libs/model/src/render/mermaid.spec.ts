import { EXAMPLE_PATH } from '../../../../test/support/example-diagnosis.js';
import { renderMermaid } from './mermaid.js';

describe('renderMermaid', () => {
  it('draws requests solid, replies and what would happen dotted, and suspicions red; names cannot break out', () => {
    expect(renderMermaid(EXAMPLE_PATH)).toBe(
      [
        'flowchart LR',
        '  n0["pod default/a"]',
        '  n1["node #quot;n#quot; #lt;b#gt;<br/>FILTER_DROP"]',
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
