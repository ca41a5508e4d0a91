import { withLab } from '../netns/lab-namespaces.js';
import { whyNoLab } from '../netns/why-no-lab.js';
import { FAULTS } from './faults/index.js';
import { describeResult, isAgreed, summarise, type CaseResult } from './report.js';
import { runCases } from './run-cases.js';
import { faultyCases, healthyCases, nameOf, shortCases } from './schedule.js';
import type { TrueProbe } from './truth.js';

const MINUTES = 60_000;
const reason = whyNoLab();
const describeLab = reason === undefined ? describe : describe.skip;

describeLab(`clusters of all kinds against the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  it(
    'agree in every probe, healthy and with a fault of each layer',
    async () => {
      const results = await withLab(() => runCases(shortCases()));

      expect(results.filter((result) => !isAgreed(result)).map(describeResult)).toEqual([]);
      expect(results).toHaveLength(shortCases().length);
      // A lab in which nothing connects, or nothing fails, would agree too.
      for (const { run } of results) expect(run?.failing).toBeGreaterThan(10);
      for (const { run } of results) expect(run?.failing).toBeLessThan((run?.probes ?? 0) * 0.8);
    },
    8 * MINUTES,
  );
});

describe('the schedule', () => {
  it('builds every kind of cluster healthy and with at least 20 faults', () => {
    const clusters = healthyCases().map(({ lab }) => lab.name);

    expect(clusters).toHaveLength(15);
    for (const cluster of clusters)
      expect(faultyCases(1).filter(({ lab }) => lab.name === cluster).length).toBeGreaterThanOrEqual(20);
  });

  it('gives each fault to as many kinds as are asked for, and no case twice', () => {
    const cases = faultyCases(2);

    expect(new Set(cases.map(nameOf)).size).toBe(cases.length);
    for (const fault of FAULTS) expect(cases.filter(({ faults }) => faults.includes(fault)).length).toBeGreaterThan(1);
  });

  it('knows each fault by one name', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });
});

describe('the report', () => {
  const [labCase] = shortCases();
  if (labCase === undefined) throw new Error('there are no cases');
  const probe = {
    kind: 'pod-pod',
    pair: { id: '1', source: 'pod/a/b', destination: '10.0.0.1', port: 80, protocol: 'tcp' },
    worksHealthy: true,
    attempts: [{ outcome: 'timeout' }],
  } satisfies TrueProbe;
  const agreed: CaseResult = {
    labCase,
    run: {
      probes: 300,
      connections: 400,
      disagreements: [],
      exceptions: 0,
      falseAlarms: [],
      failing: 20,
      naming: { broken: 0, named: 0, instead: new Map() },
      repeated: false,
      askedAlone: 0,
      seconds: { build: 2 },
    },
  };
  const differing: CaseResult = {
    ...agreed,
    ...(agreed.run === undefined ? {} : { run: { ...agreed.run, disagreements: [{ probe, text: 'this, not that' }] } }),
  };
  const broken: CaseResult = { labCase, failure: 'no bridge' };

  it('calls nothing agreed that differs, alarms or could not be run', () => {
    expect([agreed, differing, broken].map(isAgreed)).toEqual([true, false, false]);
    const alarmed =
      agreed.run === undefined ? agreed : { ...agreed, run: { ...agreed.run, falseAlarms: [{ probe, text: 'x' }] } };
    expect(isAgreed(alarmed)).toBe(false);
  });

  it('shows what differs and never rounds up to 100 %', () => {
    expect(describeResult(differing)).toContain('pod-pod pod/a/b -> 10.0.0.1:80/tcp this, not that');
    expect(summarise([...Array.from({ length: 99 }, () => agreed), differing])).toContain('(99.99 %)');
    expect(summarise([agreed, broken])).toContain('1 cases that could not be run');
  });
});
