import { renderDot } from './dot.js';
import { EXAMPLE_PATH } from '../../../../test/support/example-diagnosis.js';

describe('renderDot', () => {
  it('draws requests solid, replies and what would happen dashed, and suspicions red; names cannot break out', () => {
    expect(renderDot(EXAMPLE_PATH)).toBe(
      [
        'digraph path {',
        '  rankdir=LR;',
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
        '  n0 [label="pod default/a"];',
        '  n1 [label="node \\"n\\" <b>\\nFILTER_DROP", color="#cc0000", penwidth=2];',
        '  n0 -> n1 [label="veth: eth0 to veth1"];',
        '  n1 -> n0 [label="veth", style=dashed, constraint=false];',
        '  n0 -> n1 [label="infra", style=dashed];',
        '}',
        '',
      ].join('\n'),
    );
  });
});
