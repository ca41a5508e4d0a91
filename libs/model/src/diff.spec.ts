import * as fc from 'fast-check';
import type { Diagnosis } from './diagnosis.js';
import { diffDiagnoses } from './diff.js';
import { suspect } from './suspicion.js';
import type { Hop, Trace } from './trace.js';
import { SYMPTOMS, VERDICTS, type Symptom, type Verdict } from './verdict.js';

const node = (name: string) => ({ kind: 'node' as const, name });
const hop = (name: string, ...texts: readonly string[]): Hop => ({
  at: node(name),
  steps: texts.map((text) => ({ kind: 'route', text })),
});
const trace = (probability: number, ...hops: readonly Hop[]): Trace => ({ probability, disposition: 'accepted', hops });
const finding = (code: 'IP_FORWARD_OFF' | 'NO_ROUTE' | 'NO_LISTENER', name: string) =>
  suspect({ code, subject: node(name), evidence: [], blocking: false });

function diagnosis(change: Partial<Diagnosis> = {}): Diagnosis {
  const endpoint = { kind: 'node' as const, name: 'node1', ip: '10.0.0.1', ref: 'node/node1' };
  return {
    source: endpoint,
    destination: endpoint,
    port: 80,
    protocol: 'tcp',
    verdict: 'reachable',
    symptom: 'connected',
    branches: [{ probability: 1, symptom: 'connected', disposition: 'accepted', at: node('node2'), sourceSeen: null }],
    blocking: [],
    suspicions: [],
    skipped: [],
    assumptions: [],
    forward: [trace(1, hop('node1', 'a'), hop('node2', 'b'))],
    reply: [],
    path: { nodes: [], links: [] },
    engineVersion: '0',
    ...change,
  };
}

const names = fc.constantFrom('node1', 'node2', 'node3');
const hops = fc.array(
  fc
    .tuple(names, fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }))
    .map(([name, texts]) => hop(name, ...texts)),
  { maxLength: 5 },
);
const anyDiagnosis = fc
  .record({
    verdict: fc.constantFrom<Verdict>(...VERDICTS),
    symptom: fc.constantFrom<Symptom>(...SYMPTOMS),
    forward: hops.map((list) => [trace(1, ...list)]),
    reply: hops.map((list) => [trace(1, ...list)]),
    suspicions: fc.array(
      fc
        .tuple(fc.constantFrom('IP_FORWARD_OFF' as const, 'NO_ROUTE' as const), names)
        .map(([code, name]) => finding(code, name)),
    ),
  })
  .map(diagnosis);

describe('diffDiagnoses', () => {
  it('finds nothing between a diagnosis and itself', () => {
    fc.assert(
      fc.property(anyDiagnosis, (one) => {
        const diff = diffDiagnoses(one, structuredClone(one));

        expect(diff.same).toBe(true);
        expect([diff.suspicions.added, diff.suspicions.gone]).toEqual([[], []]);
        expect([...diff.forward, ...diff.reply].every(({ change }) => change === 'same')).toBe(true);
      }),
    );
  });

  it('is mirrored when before and after change places', () => {
    fc.assert(
      fc.property(anyDiagnosis, anyDiagnosis, (one, other) => {
        const there = diffDiagnoses(one, other);
        const back = diffDiagnoses(other, one);

        expect(back.same).toBe(there.same);
        const codes = (list: readonly { fingerprint: string }[]): string[] => list.map((item) => item.fingerprint);
        expect(codes(back.suspicions.added)).toEqual(codes(there.suspicions.gone));
        expect(back.verdict).toEqual({
          before: other.verdict,
          after: one.verdict,
          changed: one.verdict !== other.verdict,
        });
        const count = (list: readonly { change: string }[], change: string): number =>
          list.filter((item) => item.change === change).length;
        expect(count(back.forward, 'added')).toBe(count(there.forward, 'gone'));
      }),
    );
  });

  it('loses no hop: every hop of both sides is in the answer once', () => {
    fc.assert(
      fc.property(anyDiagnosis, anyDiagnosis, (one, other) => {
        const { forward } = diffDiagnoses(one, other);

        const after = forward.filter(({ change }) => change !== 'gone').map(({ at }) => at.name);
        const before = forward.filter(({ change }) => change !== 'added').map(({ at }) => at.name);
        expect(before).toEqual(one.forward[0]?.hops.map(({ at }) => at.name));
        expect(after).toEqual(other.forward[0]?.hops.map(({ at }) => at.name));
      }),
    );
  });

  it.each([
    { title: 'a step', after: [hop('node1', 'a', 'new'), hop('node2', 'b')], changes: ['changed', 'same'] },
    {
      title: 'a hop in between',
      after: [hop('node1', 'a'), hop('node3'), hop('node2', 'b')],
      changes: ['same', 'added', 'same'],
    },
    { title: 'a hop that is gone', after: [hop('node2', 'b')], changes: ['gone', 'same'] },
    {
      title: 'a hop that became hypothetical',
      after: [hop('node1', 'a'), { ...hop('node2', 'b'), hypothetical: true as const }],
      changes: ['same', 'changed'],
    },
  ])('names $title', ({ after, changes }) => {
    const diff = diffDiagnoses(diagnosis(), diagnosis({ forward: [trace(1, ...after)] }));

    expect(diff.same).toBe(false);
    expect(diff.forward.map(({ change }) => change)).toEqual(changes);
  });

  it('compares the most probable trace', () => {
    const before = diagnosis({ forward: [trace(0.4, hop('node3')), trace(0.6, hop('node1', 'a'))] });
    const after = diagnosis({ forward: [trace(0.6, hop('node1', 'a')), trace(0.4, hop('node2'))] });

    expect(diffDiagnoses(before, after).forward.map(({ change }) => change)).toEqual(['same']);
  });

  it('tells causes that came, went and stayed', () => {
    const kept = finding('NO_ROUTE', 'node1');
    const before = diagnosis({ suspicions: [kept, finding('IP_FORWARD_OFF', 'node1')] });
    const after = diagnosis({ suspicions: [finding('NO_LISTENER', 'node2'), kept] });

    const { suspicions } = diffDiagnoses(before, after);

    expect(suspicions.added.map(({ code }) => code)).toEqual(['NO_LISTENER']);
    expect(suspicions.gone.map(({ code }) => code)).toEqual(['IP_FORWARD_OFF']);
    expect(suspicions.kept.map(({ code }) => code)).toEqual(['NO_ROUTE']);
  });

  it('is not the same when only another back end answers', () => {
    const other = diagnosis({
      branches: [
        { probability: 1, symptom: 'connected', disposition: 'accepted', at: node('node3'), sourceSeen: null },
      ],
    });

    expect(diffDiagnoses(diagnosis(), other).same).toBe(false);
  });
});
