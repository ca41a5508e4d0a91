import type { Answer, SampleResult } from './diagnose-samples.js';
import { isAsExpected } from './diagnose-samples.js';
import { sampleTable } from './sample-table.js';

const drop = {
  code: 'FILTER_DROP',
  level: 'fatal',
  subject: { kind: 'node', name: 'node2' },
  message: 'node node2 drops it',
  evidence: [{ locator: 'filter/FORWARD/3', text: '-A FORWARD -j DROP' }],
};
const reachable: Answer = { id: '1', verdict: 'reachable', symptom: 'connected', blocking: [], suspicions: [] };
const dropped: Answer = { id: '2', verdict: 'unreachable', symptom: 'timeout', blocking: [drop], suspicions: [drop] };
const expectDrop = { verdict: 'unreachable', symptom: 'timeout', codes: ['FILTER_DROP'] } as const;

function result(answer: Answer, expect: SampleResult['pair']['expect']): SampleResult {
  const pair = { id: 1, source: 'pod/a/b', destination: '10.0.0.1', port: 80, protocol: 'tcp', expect } as const;
  const sample = { name: 'drop', archive: 'drop.tar.gz', title: 'A drop rule', pairs: [pair] };
  return { sample, pair, answer, asExpected: isAsExpected(answer, expect) };
}

describe('isAsExpected', () => {
  const fine = { verdict: 'reachable' as const, symptom: 'connected' as const, codes: [] };
  const warned: Answer = { ...reachable, suspicions: [{ ...drop, level: 'warning' }] };

  it.each([
    { what: 'its cause', answer: dropped, expected: { ...expectDrop, codes: ['FILTER_DROP'] }, ok: true },
    { what: 'another cause', answer: dropped, expected: { ...expectDrop, codes: ['NO_ROUTE'] }, ok: false },
    { what: 'a cause that nobody expects', answer: dropped, expected: { ...expectDrop, codes: [] }, ok: false },
    { what: 'another verdict', answer: dropped, expected: fine, ok: false },
    { what: 'nothing', answer: reachable, expected: fine, ok: true },
    { what: 'a warning on a path that works', answer: warned, expected: fine, ok: false },
  ])('is $ok for $what', ({ answer, expected, ok }) => {
    expect(isAsExpected(answer, expected)).toBe(ok);
  });
});

describe('sampleTable', () => {
  it('shows the cause with its evidence below what does not work', () => {
    const table = sampleTable([result(dropped, { ...expectDrop, codes: [] }), result(dropped, { ...expectDrop, codes: ['FILTER_DROP'] })]);

    expect(table).toContain('pod/a/b -> 10.0.0.1:80/tcp  unreachable  timeout');
    expect(table).toContain('    FILTER_DROP: node node2 drops it\n      filter/FORWARD/3: -A FORWARD -j DROP\n');
    expect(table).toContain('NOT: unreachable timeout');
  });
});
