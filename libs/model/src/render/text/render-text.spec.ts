import { suspect } from '../../suspicion.js';
import { EXAMPLE_DIAGNOSIS } from '../../../../../test/support/example-diagnosis.js';
import { renderText } from './render-text.js';

describe('renderText', () => {
  it('says the answer, why, what else looks wrong, the way in one line a hop, and last what was not looked at', () => {
    expect(renderText(EXAMPLE_DIAGNOSIS).split('\n')).toEqual([
      'pod default/a (10.0.0.1) -> 10.0.0.2 tcp/80',
      'UNREACHABLE, the client sees: timeout',
      '',
      'why:',
      '  1. FILTER_DROP: node "n" <b> drops the packet silently, in rule 1 of chain FORWARD in table filter: -A FORWARD -j DROP',
      '     change: On node "n" <b>: remove or narrow the rule: iptables -t filter -D FORWARD -j DROP. If an agent or a firewall service wrote it, change it there, or it comes back.',
      '',
      'also:',
      expect.stringMatching(/^ {2}2\. warning: DROPS_HIGH: eth0 of node n9 has dropped packets \(12\)/),
      expect.stringMatching(/^ {5}change: On node n9: /),
      '     seen: node n9: link/eth0: dropped 12',
      '',
      'request: denied',
      '  pod default/a  out eth0',
      '  node "n" <b>   in veth1; destination 10.0.0.2:80 becomes 10.0.0.3:8080; stopped by 1 (FILTER_DROP)',
      '  with that out of the way it would go on:',
      '  pod default/b  delivered to 10.0.0.3:8080',
      '',
      'taken for granted:',
      '  the network carries the packet',
      '',
      'not looked at:',
      '  INFRA_NOT_CHECKED: nothing is known of the network (pod default/a, node "n" <b>)',
      '',
    ]);
  });

  it('shows with steps every step, and the line that decided it', () => {
    const text = renderText(EXAMPLE_DIAGNOSIS, { steps: true });

    expect(text).toContain('    filter      dropped\n                filter/FORWARD/1: -A FORWARD -j DROP\n');
    expect(text).toContain('    transmit    out of eth0 (if the obstacle were removed)\n');
    expect(text).not.toContain('stopped by');
  });

  it('links a symptom to its cause, and asks for no change of it', () => {
    const node = { kind: 'node', name: 'n1' };
    const rule = { kind: 'rule', at: node, locator: 'filter/KUBE-SERVICES/1', text: '-j REJECT' } as const;
    const service = { kind: 'service', namespace: 'default', name: 'web' };
    const empty = suspect({ code: 'NO_ENDPOINTS', subject: service, evidence: [rule], blocking: true });
    const because = empty.fingerprint;
    const reject = suspect({ code: 'FILTER_REJECT', subject: node, evidence: [rule], blocking: true, because });
    const lines = renderText({ ...EXAMPLE_DIAGNOSIS, blocking: [empty, reject], suspicions: [empty, reject] }).split(
      '\n',
    );

    expect(lines[3]).toBe('why:');
    const second = lines.findIndex((line) => line.startsWith('  2. FILTER_REJECT'));
    expect(lines.slice(second + 1, second + 3)).toEqual(['     because of 1: goes away with NO_ENDPOINTS', '']);
  });

  it('numbers several obstacles and says that all have to go', () => {
    const [drop] = EXAMPLE_DIAGNOSIS.blocking;
    if (drop === undefined) throw new Error('the example has no obstacle');
    const off = suspect({
      code: 'IP_FORWARD_OFF',
      subject: { kind: 'node', name: 'n1' },
      evidence: [],
      blocking: true,
    });

    expect(renderText({ ...EXAMPLE_DIAGNOSIS, blocking: [drop, off] })).toContain('why (2 obstacles in the order');
  });

  it('tells the backends apart, with the obstacle of each', () => {
    const [branch] = EXAMPLE_DIAGNOSIS.branches;
    if (branch === undefined) throw new Error('the example has no branch');
    const good = {
      ...branch,
      probability: 0.5,
      backend: '10.0.0.4:8080',
      symptom: 'connected',
      disposition: 'accepted',
    } as const;
    const text = renderText({ ...EXAMPLE_DIAGNOSIS, branches: [good, { ...branch, probability: 0.5 }] });

    expect(text).toContain(
      [
        'which way the packet takes is chance:',
        '   50.0 % to 10.0.0.4:8080  connected',
        '   50.0 % not delivered     timeout (denied at node "n" <b>, see 1)',
      ].join('\n'),
    );
  });
});
