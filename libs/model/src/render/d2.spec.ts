import { renderD2 } from './d2.js';
import { EXAMPLE_PATH } from '../../../../test/support/example-diagnosis.js';

describe('renderD2', () => {
  it('draws requests solid, replies and what would happen dashed, and suspicions red; names cannot break out', () => {
    expect(renderD2(EXAMPLE_PATH)).toBe(
      [
        'direction: right',
        'n0: "pod default/a"',
        'n1: "node \\"n\\" <b>\\nFILTER_DROP"',
        'n1.style.stroke: "#cc0000"',
        'n1.style.stroke-width: 3',
        'n0 -> n1: "veth: eth0 to veth1"',
        'n1 -> n0: "veth" {style.stroke-dash: 4}',
        'n0 -> n1: "infra" {style.stroke-dash: 4}',
        '',
      ].join('\n'),
    );
  });

  it('leaves substitutions alone', () => {
    const [node] = EXAMPLE_PATH.nodes;
    if (node === undefined) throw new Error('the example has no node');

    expect(renderD2({ nodes: [{ ...node, name: '${x}\\' }], links: [] })).toContain('n0: "pod default/\\${x}\\\\"');
  });
});
