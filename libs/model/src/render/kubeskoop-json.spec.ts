import { EXAMPLE_DIAGNOSIS } from '../../../../test/support/example-diagnosis.js';
import { renderKubeskoopJson } from './kubeskoop-json.js';

describe('renderKubeskoopJson', () => {
  it('has the keys of skoop, levels as numbers, and what is about no node of the path under cluster', () => {
    const link = 'veth,default/a,"n" <b>,10.0.0.2:80';

    expect(JSON.parse(renderKubeskoopJson(EXAMPLE_DIAGNOSIS))).toEqual({
      cluster: { suspicions: [{ level: 1, message: expect.stringContaining('eth0 of node n9') }] },
      nodes: [
        { id: 'default/a', type: 'pod', suspicions: null, actions: { '': { type: 'send' } } },
        {
          id: '"n" <b>',
          type: 'node',
          suspicions: [{ level: 3, message: expect.stringContaining('drops the packet') }],
          actions: { [link]: { type: 'forward' } },
        },
      ],
      links: [
        {
          id: link,
          source: 'default/a',
          source_attributes: { if: 'eth0' },
          destination_attributes: { if: 'veth1' },
          destination: '"n" <b>',
          type: 'veth',
          action: '',
          packet: { source: '10.0.0.1', destination: '10.0.0.2', dport: 80, protocol: 'tcp' },
        },
      ],
    });
  });

  it('says null, as skoop does, where there are no links or nodes', () => {
    const empty = { ...EXAMPLE_DIAGNOSIS, path: { nodes: [], links: [] }, suspicions: [], blocking: [] };

    expect(JSON.parse(renderKubeskoopJson(empty))).toEqual({ cluster: { suspicions: [] }, nodes: null, links: null });
  });
});
