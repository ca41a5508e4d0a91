import type { PacketPath, PathLink, PathNode } from '../packet-path.js';
import { layoutPath } from './layered-layout.js';

const packet = { src: '10.0.0.1', dst: '10.0.0.2', protocol: 'tcp' as const };

function node(id: string, ...actions: PathNode['actions']): PathNode {
  return { id, kind: 'node', name: id, actions, suspicions: [] };
}

function link(from: string, to: string, direction: PathLink['direction'] = 'forward'): PathLink {
  return { from, to, type: 'infra', direction, packet };
}

describe('layoutPath', () => {
  it.each<[string, PacketPath, string[][]]>([
    [
      'a line, and backends below each other',
      {
        nodes: [node('a', 'send'), node('b'), node('c'), node('d')],
        links: [link('a', 'b'), link('b', 'c'), link('b', 'd'), link('c', 'b', 'reply'), link('b', 'a', 'reply')],
      },
      [['a'], ['b'], ['c', 'd']],
    ],
    [
      'a loop adds no columns',
      { nodes: [node('a', 'send'), node('b'), node('c')], links: [link('a', 'b'), link('b', 'c'), link('c', 'b')] },
      [['a'], ['b'], ['c']],
    ],
    ['what no link leads to stands last', { nodes: [node('x'), node('a', 'send')], links: [] }, [['a'], ['x']]],
    ['nobody sends: the first node begins', { nodes: [node('x'), node('y')], links: [link('x', 'y')] }, [['x'], ['y']]],
    ['an empty path has no columns', { nodes: [], links: [] }, []],
  ])('%s', (_, path, columns) => {
    expect(layoutPath(path).columns).toEqual(columns);
  });
});
