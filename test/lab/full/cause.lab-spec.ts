import type { Answer, Finding } from '../ask-cli.js';
import { cause, describeFinding, namesCause } from './cause.js';
import { FAULTS } from './faults/index.js';
import { judge } from './judge.js';
import type { TrueProbe } from './truth.js';

const found: Finding = {
  code: 'FILTER_DROP',
  subject: { kind: 'node', name: 'node2' },
  evidence: [{ at: { kind: 'node', name: 'node2' }, locator: 'filter/FORWARD/1', text: '-A FORWARD -j DROP' }],
};

describe('namesCause', () => {
  it.each([
    { title: 'the very rule', wanted: cause('FILTER_DROP', 'node2', 'filter/FORWARD/1'), named: true },
    { title: 'one of several codes', wanted: cause('NFT_DROP FILTER_DROP', 'node2'), named: true },
    { title: 'one of several things', wanted: cause('FILTER_DROP', 'node2', 'eth0 | -j DROP'), named: true },
    { title: 'another code', wanted: cause('NFT_DROP', 'node2', 'filter/FORWARD/1'), named: false },
    { title: 'another place', wanted: cause('FILTER_DROP', 'node1', 'filter/FORWARD/1'), named: false },
    { title: 'another rule', wanted: cause('FILTER_DROP', 'node2', 'filter/FORWARD/2'), named: false },
    { title: 'only one of two things', wanted: cause('FILTER_DROP', 'node2', '-j DROP', 'eth0'), named: false },
  ])('$title', ({ wanted, named }) => {
    expect(namesCause(found, [wanted])).toBe(named);
  });

  it('knows a pod by the name of its namespace', () => {
    const inPod = { ...found, subject: { kind: 'pod', namespace: 'default', name: 'web-1', interface: 'eth0' } };

    expect(namesCause(inPod, [cause('FILTER_DROP', 'pod-default-web-1', 'eth0')])).toBe(true);
    expect(describeFinding(inPod)).toBe('FILTER_DROP default/web-1 eth0 filter/FORWARD/1');
  });

  it('knows no code that does not exist', () => {
    expect(() => cause('FILTER_DROPS', 'node2')).toThrow('FILTER_DROPS');
  });
});

describe('judge', () => {
  const broken: TrueProbe = {
    kind: 'pod-pod',
    pair: { id: '1', source: 'pod/a/b', destination: '10.0.0.1', port: 80, protocol: 'tcp' },
    worksHealthy: true,
    attempts: [{ outcome: 'timeout' }],
  };
  const answer: Answer = {
    kind: 'diagnosis',
    verdict: 'unreachable',
    symptom: 'timeout',
    branches: [{ symptom: 'timeout', sourceSeen: null }],
    blocking: [found, { ...found, code: 'NO_ROUTE' }],
    alarms: [],
    skipped: [],
  };
  const answers = new Map([['1', answer]]);

  it('takes the first finding of a broken probe for the cause', () => {
    const right = judge([broken], answers, { causes: [cause('FILTER_DROP', 'node2')], isHealthy: false });
    const second = judge([broken], answers, { causes: [cause('NO_ROUTE', 'node2')], isHealthy: false });

    expect(right.naming).toEqual({ broken: 1, named: 1, instead: new Map() });
    expect(second.naming).toEqual({ broken: 1, named: 0, instead: new Map([[describeFinding(found), 1]]) });
  });

  it('asks for no cause of what does not work in a healthy cluster either', () => {
    expect(judge([{ ...broken, worksHealthy: false }], answers, { causes: [], isHealthy: false }).naming.broken).toBe(
      0,
    );
  });

  it('makes an exception of what no dump can decide, and of nothing else', () => {
    const open = new Map([['1', { ...answer, verdict: 'undetermined' }]]);
    const expected = { causes: [], isHealthy: false };

    expect(judge([broken], open, { ...expected, isUndecidable: true })).toMatchObject({
      exceptions: 1,
      disagreements: [],
    });
    expect(judge([broken], open, expected)).toMatchObject({ exceptions: 0, disagreements: [{ probe: broken }] });
    expect(judge([broken], answers, { ...expected, isUndecidable: true }).exceptions).toBe(0);
  });

  it('counts an answer that is not there as a difference', () => {
    expect(judge([broken], new Map(), { causes: [], isHealthy: false }).disagreements).toHaveLength(1);
    expect(judge([{ ...broken, attempts: [] }], answers, { causes: [], isHealthy: false }).disagreements).toHaveLength(
      1,
    );
  });
});

describe('every fault', () => {
  it.each(FAULTS.map((fault) => ({ name: fault.name, fault })))('$name says what is to be named', ({ fault }) => {
    // Where nothing can be decided nothing is named.
    if (fault.undecidable !== undefined && fault.causes === undefined) return;
    expect((fault.causes === undefined) !== (fault.harmless === undefined)).toBe(true);
  });
});
