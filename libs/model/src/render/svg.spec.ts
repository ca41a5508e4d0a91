import { EXAMPLE_PATH } from '../../../../test/support/example-diagnosis.js';
import { renderSvg } from './svg.js';

describe('renderSvg', () => {
  const svg = renderSvg(EXAMPLE_PATH);

  it('is one well-formed element in which no name of the cluster becomes markup', () => {
    const open: string[] = [];
    for (const [, closing, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^>]*)>/gi)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (!rest?.endsWith('/')) open.push(name ?? '');
    }
    expect(open).toEqual([]);
    expect(svg.match(/<svg /g)).toHaveLength(1);
    expect(svg).not.toMatch(/<b>|<script|\son\w+=/);
    expect(svg).toContain('node &quot;n&quot; &lt;b&gt;');
  });

  it('shows every node and link, the bad ones red, what does not happen dashed', () => {
    expect(svg.match(/<rect class="node/g)).toHaveLength(2);
    expect(svg.match(/<rect class="node bad"/g)).toHaveLength(1);
    expect(svg.match(/<path class="link"/g)).toHaveLength(1);
    expect(svg.match(/<path class="link dashed"/g)).toHaveLength(2);
    expect(svg).toContain('>FILTER_DROP</text>');
  });

  it('keeps boxes apart and inside the picture', () => {
    const [, left = 0, top = 0, width = 0, height = 0] = (/viewBox="(\S+) (\S+) (\S+) (\S+)"/.exec(svg) ?? []).map(
      Number,
    );
    const boxes = [...svg.matchAll(/class="node[^"]*" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g)].map(
      (match) => match.slice(1).map(Number),
    );
    for (const [x = 0, y = 0, w = 0, h = 0] of boxes) {
      expect(x >= left && y >= top && x + w <= left + width && y + h <= top + height).toBe(true);
    }
    const [[x1 = 0, , w1 = 0] = [], [x2 = 0] = []] = boxes;
    expect(x1 + w1).toBeLessThan(x2);
  });

  it('draws an empty path, a link to itself and a loop', () => {
    const [first, second] = EXAMPLE_PATH.nodes;
    const [link] = EXAMPLE_PATH.links;
    if (first === undefined || second === undefined || link === undefined) throw new Error('the example is too small');
    const loop = [link, { ...link, from: second.id, to: first.id }, { ...link, to: first.id }];

    expect(renderSvg({ nodes: [], links: [] })).toContain('</svg>');
    expect(renderSvg({ nodes: [first, second], links: loop })).not.toMatch(/NaN|Infinity|undefined/);
  });
});
